import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { repository } from './tools.js';

/** clang 22 with the least flags that a user of AutoFDO needs. */
export const CLANG = 'clang-22 -O2 -g';
export const CLANGXX = 'clang++-22 -O2 -g';

/** The flags of the kernel's CONFIG_AUTOFDO_CLANG. */
export const AUTOFDO =
  '-fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true -mllvm -improved-fs-discriminator=true';

const ARM_LIBRARIES = '/usr/aarch64-linux-gnu/lib';
/** Links a program for AArch64 with the shared libraries of the cross compiler, where qemu finds them. */
export const ARM_DYNAMIC = `-Wl,--dynamic-linker=${ARM_LIBRARIES}/ld-linux-aarch64.so.1,-rpath,${ARM_LIBRARIES}`;

/** The headers of g++ for x86-64, which are also right for AArch64, and the C++ library of the cross compiler. */
export const ARM_CXX = [
  '-std=c++20 -nostdlib++ -nostdinc++ -isystem $(echo /usr/include/c++/*)',
  '-isystem $(echo /usr/include/x86_64-linux-gnu/c++/*) -l:libstdc++.so.6',
].join(' ');

/** Where cargo has the sources of a crate that the core is built of; a folder that is not there if it has none. */
export function cargoSources(crate: string): string {
  const manifest = join(repository, 'native/Cargo.toml');
  const flags = ['--locked', '--offline', '--filter-platform=x86_64-unknown-linux-gnu'];
  const { stdout } = spawnSync(
    'cargo',
    ['metadata', '--format-version=1', `--manifest-path=${manifest}`, ...flags],
    { encoding: 'utf8', maxBuffer: 1 << 28 },
  );
  if (!stdout) return '/no-sources-of-crates';
  const { packages } = JSON.parse(stdout) as { packages: { name: string; manifest_path: string }[] };
  const found = packages.find(({ name }) => name === crate);
  return found ? dirname(found.manifest_path) : `/no-sources-of-${crate}`;
}

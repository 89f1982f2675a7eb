// Zig as C compiler and linker: it has the C libraries of all targets, and glibc in all versions. `cargo-zigbuild`
// translates what rustc and zig say differently. `node packaging/zig.mjs` prints the settings for this machine's
// target as shell code, for a build that links against the oldest glibc that must do.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT, run } from './files.mjs';
import { hostTarget } from './targets.mjs';

/** Versions from PyPI that releases are built with. */
const PACKAGES = ['cargo-zigbuild==0.24.1', 'ziglang==0.17.1'];

/** Installs the tools once, below native/target, and returns the folder of their programs. */
function installTools() {
  const folder = join(ROOT, 'native/target/zig');
  run('python3', ['-m', 'venv', folder]);
  run(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  return join(folder, 'bin');
}

/**
 * The environment in which cargo builds for `target` with zig.
 * @param {import('./targets.mjs').Target} target
 * @returns {Record<string, string>}
 */
export function zigEnvironment({ triple, zig }) {
  const bin = installTools();
  const wrappers = join(ROOT, 'native/target/zig/wrappers');
  mkdirSync(wrappers, { recursive: true });
  const wrapper = (/** @type {string} */ tool, /** @type {string} */ args) => {
    const path = join(wrappers, `${triple}-${tool}`);
    // cargo-zigbuild asks this Python package where zig is.
    const python = `export CARGO_ZIGBUILD_PYTHON_PATH='${join(bin, 'python3')}'`;
    const program = `exec '${join(bin, 'cargo-zigbuild')}' zig ${tool} -- ${args} "$@"`;
    writeFileSync(path, `#!/bin/sh\n${python}\n${program}\n`, { mode: 0o755 });
    return path;
  };
  const flags = `-target ${zig} -g0 -fno-sanitize=all`;
  const variable = triple.replaceAll('-', '_');
  return {
    [`CC_${variable}`]: wrapper('cc', flags),
    [`AR_${variable}`]: wrapper('ar', ''),
    [`CARGO_TARGET_${variable.toUpperCase()}_LINKER`]: wrapper('cc', flags),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, value] of Object.entries(zigEnvironment(hostTarget()))) {
    console.log(`export ${name}='${value}'`);
  }
}

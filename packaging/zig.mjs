// Uses Zig as C compiler and linker. Zig has the C libraries of all targets, and glibc in all versions.
// `cargo-zigbuild` translates flags between rustc and zig. `node packaging/zig.mjs` prints the settings for this
// machine's target as shell code, for a build that links against the oldest supported glibc.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PYTHON_TOOLS, pythonTools } from './python.mjs';
import { hostTarget } from './targets.mjs';

/**
 * Returns the environment in which cargo builds for `target` with zig.
 * @param {import('./targets.mjs').Target} target
 * @returns {Record<string, string>}
 */
export function zigEnvironment({ triple, zig, macos }) {
  const bin = pythonTools();
  const wrappers = join(PYTHON_TOOLS, 'wrappers');
  mkdirSync(wrappers, { recursive: true });
  const wrapper = (/** @type {string} */ tool, /** @type {string} */ args, name = tool) => {
    const path = join(wrappers, `${triple}-${name}`);
    // cargo-zigbuild asks this Python package for the path of zig.
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
    // rustc finds out from the end of this name how to call the program.
    [`CARGO_TARGET_${variable.toUpperCase()}_LINKER`]: wrapper(
      'cc',
      macos === undefined ? flags : `${flags} -F '${frameworks()}' -Wl,-dead_strip_dylibs`,
      'link-cc',
    ),
    ...(macos && { MACOSX_DEPLOYMENT_TARGET: macos }),
  };
}

/**
 * Makes a folder with a framework that a crate names and zig does not have. chrono, which the reader of Parquet
 * uses, needs the framework to find the time zone. Nothing here calls that code. If something did,
 * `check-addon.mjs` would name the functions, because the framework made here has none.
 */
function frameworks() {
  const folder = join(PYTHON_TOOLS, 'frameworks');
  const framework = join(folder, 'CoreFoundation.framework');
  mkdirSync(framework, { recursive: true });
  writeFileSync(
    join(framework, 'CoreFoundation.tbd'),
    `--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation'
...
`,
  );
  return folder;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, value] of Object.entries(zigEnvironment(hostTarget()))) {
    console.log(`export ${name}='${value}'`);
  }
}

// Builds addons: `node packaging/addon.mjs TARGET...` writes native/binding/autofdo-gen.PLATFORM.node for each.
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { checkAddon } from './check-addon.mjs';
import { addonPath, run } from './files.mjs';
import { hostTarget, targetNamed } from './targets.mjs';
import { zigEnvironment } from './zig.mjs';

/**
 * Builds the addon of one target, and checks its baseline.
 * @param {import('./targets.mjs').Target} target
 * @returns {string | undefined} Why it cannot be built on this machine.
 */
export function buildAddon(target) {
  if (target.os !== process.platform)
    return `an addon for ${target.os} is built on ${target.os}, as release.yml does it`;
  const isHost = target === hostTarget();
  const missing = isHost ? undefined : missingStandardLibrary(target.triple);
  if (missing !== undefined) return missing;
  // The linker of macOS makes addons for both of its processors.
  const env = process.platform === 'darwin' ? {} : zigEnvironment(target);
  const cross = isHost ? [] : ['--target', target.triple];
  run('npm', ['run', '--silent', 'build:native', '--', ...cross], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  checkAddon(target, addonPath(target));
  return undefined;
}

/** Rust's standard library of the target must be there, or rustup must be able to get it. */
function missingStandardLibrary(/** @type {string} */ triple) {
  const installed = () =>
    existsSync(run(process.env['RUSTC'] ?? 'rustc', ['--print', 'target-libdir', '--target', triple]).trim());
  if (installed()) return undefined;
  try {
    run('rustup', ['target', 'add', triple], { stdio: 'ignore', timeout: 300_000 });
  } catch {
    return `Rust's standard library for ${triple} is not installed, and \`rustup target add ${triple}\` failed`;
  }
  return installed() ? undefined : `rustc does not use the toolchain that rustup added ${triple} to`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const name of process.argv.slice(2)) {
    const reason = buildAddon(targetNamed(name));
    if (reason !== undefined) {
      console.error(`error: ${reason}`);
      process.exitCode = 1;
    }
  }
}

// Builds addons. `node packaging/addon.mjs TARGET...` writes native/binding/autofdo-gen.PLATFORM.node for each
// target. The exit status is 3 if only Rust's standard library for a target is missing.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkAddon } from './check-addon.mjs';
import { addonPath, run } from './files.mjs';
import { hostTarget, targetNamed } from './targets.mjs';
import { zigEnvironment } from './zig.mjs';

/**
 * Settings with which cargo also builds Rust's standard library. A nightly compiler accepts the flag; another
 * compiler needs this variable.
 */
const FROM_SOURCE = { flags: ['--', '-Zbuild-std=std,panic_unwind'], env: { RUSTC_BOOTSTRAP: '1' } };
const INSTALLED = { flags: [], env: {} };

/**
 * Builds the addon of one target, and checks its baseline.
 * @param {import('./targets.mjs').Target} target
 * @returns {string | undefined} The reason why the addon cannot be built on this machine.
 */
export function buildAddon(target) {
  // The addon of an earlier build is removed, so that it cannot be taken for the new one.
  rmSync(addonPath(target), { force: true });
  if (process.platform !== 'linux' && target.os !== process.platform)
    return `an addon for ${target.os} is not built on ${process.platform}, but on Linux`;
  const isHost = target === hostTarget();
  const rustLibrary = isHost ? INSTALLED : standardLibrary(target.triple);
  if (typeof rustLibrary === 'string') return rustLibrary;
  // The linker of macOS makes addons for both processors of macOS.
  const env = process.platform === 'darwin' ? {} : zigEnvironment(target);
  const cross = isHost ? [] : ['--target', target.triple];
  run('npm', ['run', '--silent', 'build:native', '--', ...cross, ...rustLibrary.flags], {
    stdio: 'inherit',
    env: { ...process.env, ...env, ...rustLibrary.env },
  });
  try {
    checkAddon(target, addonPath(target));
  } catch (error) {
    // A refused addon is removed, so that nobody packs it. cargo's own folder still has it.
    rmSync(addonPath(target));
    throw error;
  }
  return undefined;
}

/**
 * Finds Rust's standard library for a target: the installed one, one from rustup, or one built from its source.
 * @returns The flags and variables for cargo, or the reason why there is no such library.
 */
function standardLibrary(/** @type {string} */ triple) {
  const print = (/** @type {string[]} */ ...flags) => run(process.env['RUSTC'] ?? 'rustc', flags).trim();
  const isInstalled = () => existsSync(print('--print', 'target-libdir', '--target', triple));
  if (isInstalled()) return INSTALLED;
  try {
    run('rustup', ['target', 'add', triple], { stdio: 'ignore', timeout: 120_000 });
    if (isInstalled()) return INSTALLED;
  } catch {
    // rustup is not installed, or it reaches no server.
  }
  if (existsSync(join(print('--print', 'sysroot'), 'lib/rustlib/src/rust/library/std'))) return FROM_SOURCE;
  return (
    `rustc has no standard library for ${triple}: run \`rustup target add ${triple}\`, ` +
    'or packaging/rust-src.sh, which installs its source'
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const name of process.argv.slice(2)) {
    const reason = buildAddon(targetNamed(name));
    if (reason !== undefined) {
      console.error(`error: ${reason}`);
      process.exitCode = 3;
    }
  }
}

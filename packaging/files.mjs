import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of the repository. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Folder for everything that a publish needs. */
export const RELEASE = join(ROOT, 'release');

/** @returns {Record<string, any>} */
export function readJson(/** @type {string} */ path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {import('./targets.mjs').Target} target */
export function addonPath({ platform }) {
  return join(ROOT, 'native/binding', `autofdo-gen.${platform}.node`);
}

/**
 * Returns the name of the package with the addon of a target.
 * @param {import('./targets.mjs').Target} target
 */
export function packageName({ platform }) {
  return `@autofdo-gen/binding-${platform}`;
}

/**
 * Runs a program, and returns its output. The program's messages go to stderr of this program.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {import('node:child_process').ExecFileSyncOptions} [options]
 */
export function run(program, args, options = {}) {
  return execFileSync(program, args, {
    cwd: ROOT,
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })?.toString();
}

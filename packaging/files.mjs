import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** What a publish needs lands here. */
export const RELEASE = join(ROOT, 'release');

/** @returns {Record<string, any>} */
export function readJson(/** @type {string} */ path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** @param {import('./targets.mjs').Target} target */
export function addonPath({ platform }) {
  return join(ROOT, 'native/binding', `autofdo-gen.${platform}.node`);
}

/** Name of the package that has an addon. @param {import('./targets.mjs').Target} target */
export function packageName({ platform }) {
  return `@autofdo-gen/binding-${platform}`;
}

/**
 * Runs a program, whose messages go to this one's, and returns what it prints.
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

// Checks that a tarball has the files that it must have, and no file that it must not have.
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readJson, run } from './files.mjs';

/** Throws if the tarball has a file that a package must not have, or lacks a file that its manifest names. */
export function checkTarball(/** @type {string} */ tarball) {
  const folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-tarball-'));
  try {
    run('tar', ['-xzf', tarball, '-C', folder]);
    const problems = problemsOf(join(folder, 'package'));
    if (problems.length > 0) throw new Error(`${basename(tarball)}: ${problems.join('; ')}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function problemsOf(/** @type {string} */ folder) {
  const problems = [];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  const hashes = new Map();
  for (const file of files) {
    const bytes = readFileSync(join(folder, file));
    const hash = createHash('sha256').update(bytes).digest('hex');
    if (hashes.has(hash)) problems.push(`${file} is the same as ${hashes.get(hash)}`);
    hashes.set(hash, file);
    if (/(^|\/)(test|fixtures|src|bench)\/|\.test\.|\.map$/.test(file))
      problems.push(`${file} does not belong there`);
    if (/\.[cm]?js$/.test(file) && /^\/\/# sourceMappingURL=/m.test(bytes.toString()))
      problems.push(`${file} names a source map`);
  }
  const manifest = readJson(join(folder, 'package.json'));
  for (const path of named([
    manifest['main'],
    manifest['types'],
    manifest['bin'],
    manifest['exports'],
    manifest['man'],
  ])) {
    if (!files.includes(path.replace(/^\.\//, '')))
      problems.push(`${path} is missing, which package.json names`);
  }
  return problems;
}

/**
 * Returns all paths in a value of package.json.
 * @returns {string[]}
 */
function named(/** @type {unknown} */ value) {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(named) : [];
}

// Collects the licences of the crates whose code is in an addon. The terms of these licences require their texts
// to be distributed with the program.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, run } from './files.mjs';

/**
 * Licences of code that a program under Apache-2.0 may contain. If a crate offers a choice, one of these licences
 * is enough.
 */
const ALLOWED = new Set(['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Unlicense', 'Zlib']);

const TEXT = /^(licen[cs]e|copying|notice|copyright|unlicense)/i;

/** Returns the licence texts of everything that is linked into the addon of a target, each text once. */
export function thirdPartyLicences(/** @type {import('./targets.mjs').Target} */ { triple }) {
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const { name, version, license, folder } of linkedCrates(triple)) {
    const title = `${name} ${version} (${license ?? 'see text'})`;
    const files = readdirSync(folder).filter((file) => TEXT.test(file));
    if (!isAllowed(license ?? '')) throw new Error(`${title} has a licence that is not among those allowed`);
    // For a crate without a licence text only the licence's name is written. The texts of other crates contain the
    // text of that licence.
    const texts =
      files.length > 0 ? files.map((file) => readFileSync(join(folder, file), 'utf8').trim()) : [''];
    for (const text of texts) users.set(text, [...(users.get(text) ?? []), title]);
  }
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const parts = [...users].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`.trim());
  return `The addon of autofdo-gen holds code of these projects, under their licences.${rule}${parts.join(rule)}\n`;
}

/** True if the allowed licences satisfy an SPDX expression. No crate here has parentheses in its expression. */
function isAllowed(/** @type {string} */ expression) {
  const every = (/** @type {string} */ choice) =>
    choice.split(' AND ').every((name) => ALLOWED.has(name.trim()));
  return expression.split(/ OR |\//).some(every);
}

/** @returns {{ name: string, version: string, license?: string, folder: string }[]} */
function linkedCrates(/** @type {string} */ triple) {
  const manifest = ['--manifest-path', join(ROOT, 'native/Cargo.toml')];
  const flags = ['--format-version', '1', '--locked', '--filter-platform', triple, ...manifest];
  const { packages, resolve } = JSON.parse(run('cargo', ['metadata', ...flags]));
  const nodes = new Map(resolve.nodes.map((/** @type {any} */ node) => [node.id, node]));
  const known = new Map(packages.map((/** @type {any} */ found) => [found.id, found]));
  const addon = packages.find((/** @type {any} */ { name }) => name === 'autofdo-gen-napi');
  const linked = new Set();
  const queue = [addon.id];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (linked.has(id)) continue;
    linked.add(id);
    for (const { pkg, dep_kinds } of nodes.get(id).deps) {
      // Build scripts and tests do not run in the addon, and no code of procedural macros is in it.
      const isLinked = dep_kinds.some((/** @type {any} */ { kind }) => kind === null);
      const isMacro = known
        .get(pkg)
        .targets.some((/** @type {any} */ { kind }) => kind.includes('proc-macro'));
      if (isLinked && !isMacro) queue.push(pkg);
    }
  }
  return [...linked]
    .map((id) => known.get(id))
    .filter(({ source }) => source !== null)
    .map(({ name, version, license, manifest_path }) => ({
      name,
      version,
      license,
      folder: dirname(manifest_path),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

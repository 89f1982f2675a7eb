// Licences of the crates that an addon is made of: their terms ask that the texts go with the program.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT, run } from './files.mjs';

/** Licences that a program under Apache-2.0 may hold code of; of a choice, one of these is enough. */
const ALLOWED = new Set(['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Unlicense', 'Zlib']);

const TEXT = /^(licen[cs]e|copying|notice|copyright|unlicense)/i;

/** The licence texts of everything that is linked into the addon of a target, each text once. */
export function thirdPartyLicences(/** @type {import('./targets.mjs').Target} */ { triple }) {
  /** @type {Map<string, string[]>} */
  const users = new Map();
  for (const { name, version, license, folder } of linkedCrates(triple)) {
    const title = `${name} ${version} (${license ?? 'see text'})`;
    const files = readdirSync(folder).filter((file) => TEXT.test(file));
    if (!isAllowed(license ?? '')) throw new Error(`${title} has a licence that is not among those allowed`);
    // A crate without a text has its licence named, which the texts of other crates hold.
    const texts =
      files.length > 0 ? files.map((file) => readFileSync(join(folder, file), 'utf8').trim()) : [''];
    for (const text of texts) users.set(text, [...(users.get(text) ?? []), title]);
  }
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const parts = [...users].map(([text, titles]) => `${titles.join('\n')}\n\n${text}`.trim());
  return `The addon of autofdo-gen holds code of these projects, under their licences.${rule}${parts.join(rule)}\n`;
}

/** Whether an SPDX expression can be fulfilled with the licences allowed. No crate here has parentheses in it. */
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
      // Build scripts and tests run elsewhere; procedural macros leave none of their code behind.
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

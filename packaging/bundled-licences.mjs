// Collects the licences of the packages whose code is in a bundle. The terms of these licences require their texts
// to be distributed with the code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Licences of code that a program under Apache-2.0 may contain. */
const ALLOWED = new Set(['Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT']);

/**
 * Makes a plugin for rolldown that writes the licences of all bundled packages into a file.
 * @param {string} fileName
 * @returns {import('rolldown').Plugin}
 */
export function bundledLicences(fileName) {
  return {
    name: 'bundled-licences',
    generateBundle(_, bundle) {
      const folders = new Set();
      for (const chunk of Object.values(bundle)) {
        for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
          const folder = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
          if (folder !== undefined) folders.add(folder);
        }
      }
      const texts = [...folders].sort().map(licenceOf);
      this.emitFile({ type: 'asset', fileName, source: `${texts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n` });
    },
  };
}

function licenceOf(/** @type {string} */ folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const title = `${name} ${version} (${license})`;
  if (!ALLOWED.has(license)) throw new Error(`${title} has a licence that is not among those allowed`);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  if (file === undefined) throw new Error(`${title} has no licence text`);
  return `${title}\n\n${readFileSync(join(folder, file), 'utf8').trim()}`;
}

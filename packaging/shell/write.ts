import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.js';
import { manPage } from './man-page.js';

/** Writes the completions and the man page into a package. */
export function writeShellFiles(folder: string, version: string): void {
  const files = {
    'completions/autofdo-gen.bash': bashCompletion(),
    'completions/_autofdo-gen': zshCompletion(),
    'completions/autofdo-gen.fish': fishCompletion(),
    'man/autofdo-gen.1': manPage(version),
  };
  for (const folderName of ['completions', 'man']) mkdirSync(join(folder, folderName), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
}

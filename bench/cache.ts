/** Keeps files that take long to make in the user's cache folder from one run to the next. */
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'autofdo-gen');
export const folder = join(cache, 'bench');

/**
 * Makes a file or a folder if it does not exist. It is made under another name first, so that an existing one is
 * always complete.
 */
export function make(path: string, write: (path: string) => void): void {
  if (existsSync(path)) return;
  write(`${path}.new`);
  renameSync(`${path}.new`, path);
}

export function sh(command: string): void {
  console.error(`$ ${command}`);
  execFileSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
}

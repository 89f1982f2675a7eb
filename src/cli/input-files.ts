import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Returns the files that the arguments of `--perfdata` name. An argument that is an existing path names that file.
 * Otherwise, each part between commas is a path. A path with `*`, `?` or `[...]` that does not exist names all
 * files that match it. A pattern without a match is kept, so that the error can name it.
 */
export function expandInputs(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (arg === '-' || existsSync(arg)) return [arg];
    if (arg.includes(',')) return expandInputs(arg.split(',').filter((part) => part !== ''));
    if (!WILD.test(arg)) return [arg];
    const found = matchGlob(arg);
    return found.length > 0 ? found : [arg];
  });
}

/**
 * Returns the profiles that the arguments of `merge` name. A folder stands for all files below it, as for
 * llvm-profdata.
 */
export function expandProfiles(args: readonly string[]): string[] {
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return expandInputs(args).flatMap((path) => (isFolder(path) ? filesBelow(path) : [path]));
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true).sort();
}

const WILD = /[*?[]/;

/**
 * Returns the paths that match a pattern with `*`, `?` and `[...]`, sorted. None of these wildcards matches a `/`.
 */
function matchGlob(pattern: string): string[] {
  const parts = pattern.split('/').filter((part) => part !== '');
  let bases = [pattern.startsWith('/') ? '/' : ''];
  for (const part of parts) {
    bases = bases.flatMap((base) => {
      if (!WILD.test(part)) return existsSync(join(base, part)) ? [join(base, part)] : [];
      const shape = shapeOf(part);
      const hidden = part.startsWith('.');
      return list(base)
        .filter((name) => shape.test(name) && (hidden || !name.startsWith('.')))
        .map((name) => join(base, name));
    });
  }
  return bases.sort();
}

/** Converts a pattern to a regular expression. A bracket that is not closed stands for itself. */
function shapeOf(pattern: string): RegExp {
  const pieces = pattern.match(/\[[!^]?\]?[^\]]*\]|./gs) ?? [];
  const translated = pieces.map((piece) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    if (piece.length === 1) return piece.replace(/[.+^${}()|[\]\\]/, '\\$&');
    const [, not, inside = ''] = /^\[([!^]?)(.*)\]$/s.exec(piece) ?? [];
    return `[${not ? '^' : ''}${inside.replace(/[\]\\[^]/g, '\\$&')}]`;
  });
  try {
    return new RegExp(`^${translated.join('')}$`, 's');
  } catch {
    return /(?!)/; // A range such as [z-a] is invalid, and matches nothing.
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder === '' ? '.' : folder);
  } catch {
    return [];
  }
}

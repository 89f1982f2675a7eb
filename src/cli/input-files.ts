import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files that arguments of `--perfdata` name: a path as it is; else, if it has commas, each part; else, if it has
 * `*`, `?` or `[...]`, what matches it. What matches nothing stays, so that the error names it.
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

/** The profiles that arguments of `merge` name: a folder stands for all files below it, as for llvm-profdata. */
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

/** Paths that match a pattern of `*`, `?` and `[...]`, none of which crosses a `/`; sorted. */
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

/** A pattern as a regular expression. A bracket that is not closed stands for itself. */
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
    return /(?!)/; // a range such as [z-a]: nothing matches
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder === '' ? '.' : folder);
  } catch {
    return [];
  }
}

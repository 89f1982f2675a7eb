import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { AutofdoError } from '../errors.js';

/**
 * Returns the files that the arguments of `--perfdata` name. An argument that is an existing path names that file.
 * Otherwise, each part between commas is a path. A path with `*`, `?` or `[...]` that does not exist names all
 * files that match it. A pattern without a match is an error, or is kept if `keepsMissing` is set.
 */
export function expandInputs(args: readonly string[], keepsMissing = false): string[] {
  return args.flatMap((arg) => {
    // What is an address is refused where the options are checked.
    if (arg === '-' || existsSync(arg) || arg.includes('://')) return [arg];
    if (arg.includes(','))
      return expandInputs(
        arg.split(',').filter((part) => part !== ''),
        keepsMissing,
      );
    if (!WILD.test(arg)) return [arg];
    const found = matchGlob(arg);
    if (found.length > 0) return found;
    if (keepsMissing) return [arg];
    throw new AutofdoError('INPUT_UNREADABLE', `no file matches '${arg}'`, {
      path: arg,
      hint: 'check the folder and the pattern',
    });
  });
}

/**
 * Returns the recordings and trace shards that the arguments of `inspect` name. A folder stands for all shards below
 * it, unless `perf record` wrote it.
 */
export function expandInspected(args: readonly string[]): string[] {
  return expandInputs(args).flatMap((path) => {
    if (!isFolder(path) || existsSync(join(path, 'data'))) return [path];
    const shards = filesBelow(path).filter((file) => isShard(relative(path, file)));
    return shards.length > 0 ? shards : [path];
  });
}

/** True if a path below a folder of traces has traces. Engines use names with `.` or `_` for what is no data. */
function isShard(path: string): boolean {
  return path.endsWith('.parquet') && path.split(sep).every((name) => !/^[._]/.test(name));
}

/**
 * Returns the profiles that the arguments of `merge` name. A folder stands for all files below it, as for
 * llvm-profdata.
 */
export function expandProfiles(args: readonly string[], keepsMissing = false): string[] {
  return expandInputs(args, keepsMissing).flatMap((path) => (isFolder(path) ? filesBelow(path) : [path]));
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
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

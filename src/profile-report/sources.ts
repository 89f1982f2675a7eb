import { readFile, realpath, stat } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import type { FunctionSamples, LineLocation } from '../sample-profile/types.js';
import { sourceLine } from './source-line.js';
import type { FunctionReport, SourceLines, SourcePlace } from './types.js';

/** Largest source file that is read, in bytes. Larger files are generated tables, which nobody reads. */
const MAX_FILE_SIZE = 16 << 20;
/** Number of lines that are shown before the declaration of a function, and after its last line with a count. */
const LINES_AROUND = 2;
/** Largest number of lines that are shown of one function. A line after these does not belong to the function. */
const MAX_LINES = 5000;
/** Number of files that are read at the same time. */
const PARALLEL = 8;

/** Returns the lines that the functions and their inlined code need, by file. */
export function wantedLines(
  functions: readonly FunctionReport[],
  places: ReadonlyMap<string, SourcePlace>,
): Map<string, Set<number>> {
  const wanted = new Map<string, Set<number>>();
  const add = (name: string, locations: readonly LineLocation[]) => {
    const place = places.get(name);
    if (place === undefined) return;
    let [first, last] = [place.line, place.line];
    for (const location of locations) {
      const line = sourceLine(place, location);
      if (Math.abs(line - place.line) >= MAX_LINES) continue;
      first = Math.min(first, line);
      last = Math.max(last, line);
    }
    const numbers = wanted.get(place.file) ?? new Set();
    wanted.set(place.file, numbers);
    for (let line = Math.max(1, first - LINES_AROUND); line <= last + LINES_AROUND; line++) numbers.add(line);
  };
  const addSamples = ({ name, body, inlined }: FunctionSamples) => {
    add(name, [...body, ...inlined]);
    for (const { samples } of inlined) addSamples(samples);
  };
  for (const { name, samples, copyLines } of functions) {
    if (samples === undefined) add(name, copyLines);
    else addSamples(samples);
  }
  return wanted;
}

/**
 * Reads the source lines of functions from files below `folder`. Files that do not exist there are left out.
 * `onRead` is called with the path of each file, with links resolved, before the file is read.
 */
export async function readSources(
  folder: string,
  functions: readonly FunctionReport[],
  places: ReadonlyMap<string, SourcePlace>,
  onRead: (path: string) => void,
  signal: AbortSignal | undefined,
): Promise<Map<string, SourceLines>> {
  const root = await realpath(folder);
  const found = new Map<string, SourceLines>();
  const queue = [...wantedLines(functions, places)];
  const work = async () => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      signal?.throwIfAborted();
      const [file, numbers] = next;
      const text = await readBelow(root, file, onRead);
      if (text !== undefined) found.set(file, linesOf(text, numbers));
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return found;
}

function linesOf(text: string, numbers: ReadonlySet<number>): SourceLines {
  const lines: SourceLines = new Map();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (numbers.has(index + 1)) lines.set(index + 1, line);
  }
  return lines;
}

/**
 * Reads the file below `root` whose path shares the longest end with `path`. Paths in debug information may be
 * forged, so links and `..` must not lead outside of `root`.
 */
async function readBelow(
  root: string,
  path: string,
  onRead: (path: string) => void,
): Promise<string | undefined> {
  const normal = posix.normalize(path);
  const inRoot = normal.startsWith(`${root}/`) ? [normal.slice(root.length)] : [];
  // `..` can now stand only at the beginning, and the folder that it leads to is not known here.
  const parts = normal.split('/').filter((part) => part !== '' && part !== '..');
  const ends = parts.map((_, index) => parts.slice(index).join('/'));
  for (const end of [...inRoot, ...ends]) {
    try {
      const real = await realpath(join(root, end));
      const facts = await stat(real);
      const inside = root === sep || real.startsWith(root + sep);
      if (!inside || !facts.isFile() || facts.size > MAX_FILE_SIZE) continue;
      onRead(real);
      return await readFile(real, 'utf8');
    } catch {
      // The next, shorter end may name an existing file.
    }
  }
  return undefined;
}

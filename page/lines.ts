import { lineDistance, sourceLine } from '../src/profile-report/source-line.js';
import type { SourcePlace } from '../src/profile-report/types.js';
import type { Count } from './count.js';
import { highlightLines, type Token } from './highlight.js';
import type { Body, FunctionDetail, LineCounts } from './model.js';

/** A line of a function with its counts and its inlined calls. */
export interface CodeLine {
  /** Number of the line in the file, if the file is known; otherwise number of lines from the declaration. */
  number: number;
  text: Token[] | undefined;
  counts: LineCounts[];
  /** Largest of these counts. */
  count: Count | undefined;
  /** Largest count of the line in the base profile. */
  base: Count | undefined;
  inlined: Body['inlined'];
}

/** Consecutive lines, or lines that are hidden. */
export type Stretch = { lines: CodeLine[] } | { hidden: CodeLine[] };

/** Number of lines without counts that are shown around lines with counts. */
const AROUND = 3;

/** Returns all known lines of a function, in order. */
export function codeLines(
  body: Body,
  place: SourcePlace | undefined,
  sources: FunctionDetail['sources'],
  baseLines: FunctionDetail['baseLines'] = [],
): CodeLine[] {
  const numbered = (location: { line: number; discriminator: number }) =>
    place === undefined ? lineDistance(location) : sourceLine(place, location);
  const lines = new Map<number, CodeLine>();
  const at = (number: number): CodeLine => {
    const known = lines.get(number);
    if (known !== undefined) return known;
    const line: CodeLine = {
      number,
      text: undefined,
      counts: [],
      count: undefined,
      base: undefined,
      inlined: [],
    };
    lines.set(number, line);
    return line;
  };
  for (const counts of body.lines) {
    const line = at(numbered(counts));
    line.counts.push(counts);
    if (line.count === undefined || counts.count > line.count) line.count = counts.count;
  }
  for (const counts of baseLines) {
    const line = at(numbered(counts));
    if (line.base === undefined || counts.count > line.base) line.base = counts.count;
  }
  for (const call of body.inlined) at(numbered(call)).inlined.push(call);
  const text = place && sources.get(place.file);
  if (place !== undefined && text !== undefined) addText(lines, at, place, text);
  return [...lines.values()].sort((a, b) => a.number - b.number);
}

function addText(
  lines: ReadonlyMap<number, CodeLine>,
  at: (number: number) => CodeLine,
  place: SourcePlace,
  text: ReadonlyMap<number, string>,
): void {
  const counted = [...lines.keys()].filter((number) => text.has(number));
  const first = counted.reduce((least, number) => Math.min(least, number), place.line) - AROUND;
  const last = counted.reduce((most, number) => Math.max(most, number), place.line) + AROUND;
  const known: number[] = [];
  for (let number = first; number <= last; number++) if (text.has(number)) known.push(number);
  // A comment that begins before the first known line is not recognised as a comment.
  const tokens = highlightLines(place.file, known.map((number) => text.get(number) ?? '').join('\n'));
  for (const [index, number] of known.entries()) at(number).text = tokens[index] ?? [];
}

/** Joins lines to stretches, and hides lines far from any count. */
export function stretches(lines: readonly CodeLine[], declared: number | undefined): Stretch[] {
  const near = lines.map(() => false);
  for (const [index, { counts, inlined, base, number }] of lines.entries()) {
    const isEmpty = counts.length === 0 && inlined.length === 0 && base === undefined;
    if (isEmpty && number !== declared) continue;
    for (
      let other = Math.max(0, index - AROUND);
      other <= Math.min(lines.length - 1, index + AROUND);
      other++
    ) {
      near[other] = true;
    }
  }
  const found: Stretch[] = [];
  for (const [index, line] of lines.entries()) {
    const last = found.at(-1);
    if (near[index] === true) {
      if (last !== undefined && 'lines' in last) last.lines.push(line);
      else found.push({ lines: [line] });
    } else if (last !== undefined && 'hidden' in last) last.hidden.push(line);
    else found.push({ hidden: [line] });
  }
  return found;
}

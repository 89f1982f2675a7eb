import { basename } from 'node:path';
import { hottestLines } from '../profile-report/hot-lines.js';
import { shownName } from '../profile-report/names.js';
import { distanceText, lineDistance, sourceLine } from '../profile-report/source-line.js';
import { temperatureOf } from '../profile-report/temperature.js';
import type {
  FunctionReport,
  ProfileReport,
  Report,
  SourcePlace,
  Temperature,
} from '../profile-report/types.js';
import type { LineLocation } from '../sample-profile/types.js';
import { formatCount, formatSeconds, formatShare, LABEL_WIDTH, plural, printable, wrap } from './format.js';
import { ledgerLines } from './summary.js';

/** Widths of labels, shares, bars and counts, in columns. */
const SHARE_WIDTH = 7;
const BAR_WIDTH = 12;
const COUNT_WIDTH = 15;

/** The layout of a report for a terminal. */
export interface TextLayout {
  /** Number of functions and lines that are shown of each profile. */
  top: number;
  /** Width of the report in columns. */
  width: number;
  /** Colours a bar by a temperature. */
  paint: (temperature: Temperature, text: string) => string;
}

/** Yields a report for a terminal, one text for each part. */
export function* reportTexts(report: Report, layout: TextLayout): Generator<string> {
  const { width } = layout;
  const { recording, profiles } = report;
  if (recording !== undefined) {
    const { seconds, statistics } = recording;
    const duration = seconds === undefined || seconds === 0 ? '' : ` in ${formatSeconds(seconds)}`;
    const samples = `${formatCount(statistics.samples)}${duration}`;
    yield labelled([['samples', samples], ...ledgerLines(statistics)], width);
  }
  for (const [index, profile] of profiles.entries()) {
    if (index > 0 || recording !== undefined) yield '\n';
    yield profileHead(profile, width);
    yield* functionLines(profile, layout);
    yield* lineRows(profile, layout);
  }
}

/** Writes texts next to their labels. A text that is too long for one line continues below. */
function labelled(lines: readonly [string, string][], width: number): string {
  const below = `\n${' '.repeat(LABEL_WIDTH)}`;
  return lines
    .map(([label, text]) => {
      // Some texts begin with blanks, which align shares below each other.
      const indent = text.length - text.trimStart().length;
      const wrapped = wrap(text.trimStart(), width - LABEL_WIDTH - indent);
      return `${label.padEnd(LABEL_WIDTH)}${' '.repeat(indent)}${wrapped.join(below + ' '.repeat(indent))}\n`;
    })
    .join('');
}

function profileHead(profile: ProfileReport, width: number): string {
  const { temperatures, density, coverage, thresholds, comparison, findings } = profile;
  const { hot, warm, cold } = temperatures;
  const functions = hot.functions + warm.functions + cold.functions;
  const enough =
    density.value >= density.enough ? 'enough' : `too low, ${density.enough} are enough; record for longer`;
  const coldest = thresholds.cold < thresholds.hot ? `; cold: counts up to ${thresholds.cold}` : '';
  const lines: [string, string][] = [
    ['profile', printable(profile.name)],
    [
      'functions',
      `${formatCount(functions)}: ${hot.functions} hot, ${warm.functions} warm, ${cold.functions} cold`,
    ],
    ['hot', `counts from ${thresholds.hot} on${coldest}`],
    ['density', `${density.value.toFixed(1)} samples for each line of the hot part: ${enough}`],
  ];
  if (coverage !== undefined) {
    const share = formatShare(coverage.sampledFunctions, coverage.functions);
    lines.push(['coverage', `${share} of ${plural(coverage.functions, 'function')} of the binary`]);
  }
  if (comparison !== undefined) {
    const percent = formatShare(comparison.result.similarity, 1);
    lines.push(['similarity', `${percent} to ${comparison.path}`]);
  }
  for (const { severity, message, hint } of findings) {
    lines.push([severity, message]);
    if (hint !== undefined) lines.push(['', `-> ${hint}`]);
  }
  return labelled(lines, width);
}

function* functionLines(profile: ProfileReport, layout: TextLayout): Generator<string> {
  const shown = profile.functions.filter(({ total }) => total > 0n).slice(0, layout.top);
  const [heaviest] = shown;
  if (heaviest === undefined) return;
  yield `\n${heading('function', profile.comparison === undefined ? 'total' : 'total (base)')}`;
  for (const report of shown) {
    const { name, total, temperature } = report;
    const base = baseShare(profile, report);
    const text = `${nameOf(profile, name)}${base}`;
    const bar = layout.paint(temperature, barOf(total, heaviest.total));
    yield row(total, profile.totalSamples, bar, text, layout.width);
  }
}

/** Returns the function's share in the base profile. */
function baseShare({ comparison }: ProfileReport, { name }: FunctionReport): string {
  if (comparison === undefined) return '';
  const base = comparison.functions.get(name)?.total;
  return base === undefined ? ' (new)' : ` (${share(base, comparison.totalSamples).trim()})`;
}

function* lineRows(profile: ProfileReport, layout: TextLayout): Generator<string> {
  const lines = hottestLines(profile, layout.top);
  const [hottest] = lines;
  if (hottest === undefined) return;
  yield `\n${heading(profile.locations === 'lines' ? 'line' : 'pseudo probe', 'count')}`;
  for (const line of lines) {
    const { count, name, inside, discriminator } = line;
    const place = lineText(profile, profile.places.get(name), line);
    const more = discriminator === 0 ? '' : `.${discriminator}`;
    const inlined = inside === name || isInContext(inside, name) ? '' : ` in ${nameOf(profile, inside)}`;
    const text = `${place}${more}  ${nameOf(profile, name)}${inlined}`;
    const bar = layout.paint(temperatureOf(count, profile.thresholds), barOf(count, hottest.count));
    yield row(count, profile.totalCount, bar, text, layout.width);
  }
}

/** True if the full name of a function in a context-sensitive profile ends with the function's own name. */
function isInContext(inside: string, name: string): boolean {
  return inside.endsWith(` @ ${name}`);
}

/**
 * Writes the number of a pseudo probe, or the line of a file. If the file is not known, writes the number of lines
 * from the declaration of the function.
 */
function lineText(
  { locations }: ProfileReport,
  place: SourcePlace | undefined,
  location: LineLocation,
): string {
  if (locations === 'probes') return `${location.line}`;
  if (place === undefined) return distanceText(lineDistance(location));
  const line = sourceLine(place, location);
  return `${printable(basename(place.file))}:${line > 0 ? line : '?'}`;
}

function nameOf({ names }: ProfileReport, name: string): string {
  return printable(shownName(name, names));
}

function heading(what: string, count: string): string {
  const left = 'share'.padStart(SHARE_WIDTH).padEnd(SHARE_WIDTH + BAR_WIDTH + 3);
  return `${left}${count.padStart(COUNT_WIDTH - 1)}  ${what}\n`;
}

/** Returns a bar whose length is the count's share of the largest count. */
function barOf(count: bigint, largest: bigint): string {
  const filled = largest === 0n ? 0 : Math.max(1, Math.round((Number(count) / Number(largest)) * BAR_WIDTH));
  return '#'.repeat(filled).padEnd(BAR_WIDTH);
}

/** Writes share, bar, count and name. A name that is too long for the terminal is cut. */
function row(count: bigint, whole: bigint, bar: string, name: string, width: number): string {
  const digits = String(count)
    .replace(/\B(?=(\d{3})+$)/g, ',')
    .padStart(COUNT_WIDTH - 1);
  const room = Math.max(20, width - (SHARE_WIDTH + BAR_WIDTH + digits.length + 5));
  const text = name.length > room ? `${name.slice(0, room - 3)}...` : name;
  return `${share(count, whole)}  ${bar} ${digits}  ${text}\n`;
}

function share(part: bigint, whole: bigint): string {
  return formatShare(Number(part), Number(whole)).padStart(SHARE_WIDTH);
}

import type { BinaryResult, EntryClass, GenerateResult, PhaseTiming, Statistics } from '../result.js';
import { formatBytes, formatCount, formatDuration, formatShare, labelledLine, plural } from './format.js';
import { CLASS_LABELS } from './ledger-labels.js';

/** Summarises a job, for people. Ends with a line break. */
export function summaryText(result: GenerateResult, target: string): string {
  const { statistics } = result;
  const lines: [string, string][] = [];
  if (statistics.samples > 0) {
    const withStacks = formatCount(statistics.branchSamples);
    const what = statistics.byAddresses
      ? 'counts are inferred from their addresses'
      : `${withStacks} with branch stacks`;
    lines.push(['samples', `${formatCount(statistics.samples)}, ${what}`]);
    lines.push(...ledgerLines(statistics));
  }
  if (statistics.lostRecords > 0) lines.push(['lost by kernel', plural(statistics.lostRecords, 'record')]);
  if (statistics.functions > 0) {
    lines.push(['functions', formatCount(statistics.functions)]);
    // Inferred counts are executions, not samples.
    if (!statistics.byAddresses) {
      lines.push([
        'density',
        `${statistics.density.toFixed(1)} samples for each instruction line of the hot part`,
      ]);
    }
  }
  if (result.binaries.length > 1) lines.push(...result.binaries.map(binaryLine));
  lines.push(['output', `${target} (${formatBytes(result.size)})`]);
  return lines.map(([label, text]) => `${labelledLine(label, text)}\n`).join('');
}

/** Returns a label and a text for each class of branch entries. */
export function ledgerLines({ byAddresses, branchEntries, ledger }: Statistics): [string, string][] {
  const classes = Object.entries(ledger) as [EntryClass, bigint][];
  const shown = classes.filter(([name, entries]) => entries > 0 || name === 'used');
  return [
    [byAddresses ? 'addresses' : 'branch entries', formatCount(branchEntries)],
    ...shown.map(([name, entries]): [string, string] => {
      const share = formatShare(entries, branchEntries).padStart(7);
      const label = byAddresses && name === 'noFunction' ? 'outside any function' : CLASS_LABELS[name];
      return ['', `${share}  ${label} (${formatCount(entries)})`];
    }),
  ];
}

/** Returns the label and the text of one of several binaries. */
function binaryLine({ name, output, statistics, error }: BinaryResult): [string, string] {
  const entries = plural(statistics.branchEntries, 'branch entry', 'branch entries');
  if (error !== undefined) return ['', `${name}: no profile (${entries})`];
  const functions = plural(statistics.functions, 'function');
  return ['', `${name}: ${functions}, ${entries}${output === undefined ? '' : `, in ${output}`}`];
}

/**
 * Writes the density as llvm-profgen's --show-density prints it. `cutoff` is in millionths. Ends with a line
 * break.
 */
export function densityText(density: number, cutoff = 990_000): string {
  const share = (cutoff / 10_000).toFixed(2);
  return `Functions with density >= ${density.toFixed(1)} account for ${share}% total sample counts.\n`;
}

/** Writes the phases of a job with their times. Ends with a line break. */
export function timingsText(timings: readonly PhaseTiming[]): string {
  const total = timings.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return [...timings, { phase: 'total', milliseconds: total }]
    .map(({ phase, milliseconds }) => `${labelledLine(phase, formatDuration(milliseconds).padStart(10))}\n`)
    .join('');
}

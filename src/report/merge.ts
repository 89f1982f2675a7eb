import type { ConvertResult } from '../convert-profile.js';
import type { MergeResult } from '../merge-profiles.js';
import { formatBytes, formatCount, labelledLine, plural } from './format.js';

/** Summarises a merge, for people. Ends with a line break. */
export function mergeText(result: MergeResult, target: string): string {
  const skipped = result.skipped.length > 0 ? `, ${formatCount(result.skipped.length)} left out` : '';
  const dropped = result.dropped > 0 ? [line('dropped', plural(result.dropped, 'function'))] : [];
  return [
    line('profiles', `${formatCount(result.inputs)} merged${skipped}`),
    ...dropped,
    encodedText(result, target),
  ].join('');
}

/** Summarises a profile that was written, for people. Ends with a line break. */
export function encodedText(result: ConvertResult, target: string): string {
  return [
    line('functions', formatCount(result.functions)),
    line('total count', formatCount(result.totalCount)),
    line('output', `${target} (${formatBytes(result.size)})`),
  ].join('');
}

function line(label: string, text: string): string {
  return `${labelledLine(label, text)}\n`;
}

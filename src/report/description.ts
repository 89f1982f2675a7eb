import type { ProfileDescription } from '../describe-profile.js';
import { formatBytes, formatCount, formatShare, labelledLine, plural } from './format.js';

/** Describes a profile, for people. Ends with a line break. */
export function descriptionText(description: ProfileDescription, file: string): string {
  const { summary, functions, totalSamples } = description;
  const lines: [string, string][] = [
    ['file', `${file} (${formatBytes(description.size)})`],
    ['format', [description.format, ...properties(description)].join(', ')],
    ...functionLines(description),
    ['counts', `${formatCount(summary.counts)}, together ${formatCount(summary.totalCount)}`],
    ['largest count', `${formatCount(summary.maxCount)}; hot from ${formatCount(description.hotThreshold)}`],
    ['density', `${description.density.toFixed(1)} samples for each instruction line of the hot part`],
  ];
  if (description.symbols !== undefined) lines.push(['symbol list', plural(description.symbols, 'name')]);
  for (const { name, total } of functions) {
    lines.push(['', `${formatShare(total, totalSamples).padStart(7)}  ${name} (${formatCount(total)})`]);
  }
  const listed = description.contexts ?? summary.functions;
  const more = listed - functions.length;
  if (functions.length > 0 && more > 0) lines.push(['', `and ${formatCount(more)} more (--topn ${listed})`]);
  return lines.map(([label, text]) => `${labelledLine(label, text)}\n`).join('');
}

/**
 * Returns the lines about functions. In a context-sensitive profile a function may be hot in only some of its
 * contexts.
 */
function functionLines({ summary, contexts, hotFunctions }: ProfileDescription): [string, string][] {
  const [functions, hot] = [formatCount(summary.functions), `${formatCount(hotFunctions)} hot`];
  if (contexts === undefined) return [['functions', `${functions}, ${hot}`]];
  return [
    ['functions', functions],
    ['contexts', `${formatCount(contexts)}, ${hot}`],
  ];
}

function properties(description: ProfileDescription): string[] {
  const known: [boolean, string][] = [
    [description.md5, 'names as MD5'],
    [description.probeBased, 'pseudo probes'],
    [description.flowSensitive, 'flow-sensitive discriminators'],
    [description.contexts !== undefined, 'calling contexts'],
    [description.preInlined, 'pre-inlined'],
    [description.partial, 'partial'],
    [description.sections.some(({ flags }) => /\bcompressed\b/.test(flags)), 'compressed'],
  ];
  return known.filter(([set]) => set).map(([, text]) => text);
}

import type { CompareResult, FunctionChange, TargetShift } from '../compare-profiles.js';

/**
 * Describes the largest changes, for people. Returns an empty text if nothing changed. Otherwise, the text ends
 * with a line break.
 */
export function changesText({ gained, lost, changed, targetShifts }: CompareResult): string {
  return [
    section(
      'Functions that only the test profile has:',
      gained.map(({ name, testWeight }) => `${percent(testWeight)}  ${name}`),
    ),
    section(
      'Functions that only the base profile has:',
      lost.map(({ name, baseWeight }) => `${percent(baseWeight)}  ${name}`),
    ),
    section('Functions that changed most:', changed.map(changeText)),
    section('Calls that go elsewhere:', targetShifts.flatMap(shiftText)),
  ].join('');
}

function section(title: string, lines: string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function changeText({ name, baseWeight, testWeight, similarity }: FunctionChange): string {
  return `${percent(baseWeight)} -> ${percent(testWeight)}, similarity ${percent(similarity)}  ${name}`;
}

function shiftText({ place, shift, baseCalls, testCalls, targets }: TargetShift): string[] {
  const shares = targets
    .slice(0, 3)
    .map(({ name, base, test }) => `        ${percent(base)} -> ${percent(test)}  ${name}`);
  return [`${percent(shift)}  ${place} (${baseCalls} -> ${testCalls} calls)`, ...shares];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2).padStart(6)}%`;
}

import { formatCount, formatShare, plural } from '../report/format.js';
import type { BinaryFacts, CompilerCounts, SampleSurvey } from './facts.js';
import { takerOf } from './toolchains.js';

/** Percentage of the samples from which on a fault of their code makes the whole profile useless. */
const BLOCKER_PERCENT = 50;
/** Percentage of the samples below which nothing is reported. */
const REPORTED_PERCENT = 1;

/**
 * The compilers of a program with their weights: their units, or the samples in these units if there is a
 * recording.
 */
export interface Weighing {
  compilers: readonly CompilerCounts[];
  by: 'units' | 'samples';
}

/** Weighs compilers by samples if there are any, otherwise by units. */
export function weigh(facts: BinaryFacts, survey: SampleSurvey | undefined): Weighing {
  const sampled = survey !== undefined && total(survey.compilers) > 0;
  return sampled
    ? { compilers: survey.compilers, by: 'samples' }
    : { compilers: facts.compilers, by: 'units' };
}

/** Keeps only the compilers of code for which some compiler takes a profile. */
export function usable({ compilers, by }: Weighing): Weighing {
  return { compilers: compilers.filter((counts) => takerOf(counts).compiler !== undefined), by };
}

/**
 * Returns the severity of a finding about `part` of the whole weight. Returns `undefined` if the part is too small
 * to be reported.
 */
export function severity({ compilers, by }: Weighing, part: number): 'blocker' | 'limit' | undefined {
  const all = total(compilers);
  if (part <= 0 || all === 0) return undefined;
  if (by === 'units') return part >= all ? 'blocker' : 'limit';
  const percent = (part / all) * 100;
  if (percent < REPORTED_PERCENT) return undefined;
  return percent >= BLOCKER_PERCENT ? 'blocker' : 'limit';
}

/** Writes `3 of 10 units have THING`, or `12.3 % of the samples lie in THING`. */
export function describePart({ compilers, by }: Weighing, part: number, thing: string): string {
  const all = total(compilers);
  if (by === 'samples') return `${formatShare(part, all)} of the samples lie in ${thing}`;
  return `${formatCount(part)} of ${plural(all, 'unit')} ${part === 1 ? 'has' : 'have'} ${thing}`;
}

function total(compilers: readonly CompilerCounts[]): number {
  return compilers.reduce((sum, { units }) => sum + units, 0);
}

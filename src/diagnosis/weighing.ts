import { formatCount, formatShare, plural } from '../report/format.js';
import type { BinaryFacts, CompilerCounts, SampleSurvey } from './facts.js';
import { takerOf } from './toolchains.js';

/** From this percentage of the samples on, a profile is of no use if these samples are of none. */
const MOST = 50;
/** Below this percentage of the samples nothing is said. */
const FEW = 1;

/** The compilers of a program with what they count for: units, or the samples in them where a recording tells. */
export interface Weighing {
  compilers: readonly CompilerCounts[];
  by: 'units' | 'samples';
}

/** By the samples, if there are any. */
export function weigh(facts: BinaryFacts, survey: SampleSurvey | undefined): Weighing {
  const sampled = survey !== undefined && total(survey.compilers) > 0;
  return sampled
    ? { compilers: survey.compilers, by: 'samples' }
    : { compilers: facts.compilers, by: 'units' };
}

/** Those of its compilers that make code that some compiler takes a profile for. */
export function usable({ compilers, by }: Weighing): Weighing {
  return { compilers: compilers.filter((counts) => takerOf(counts).compiler !== undefined), by };
}

/** How much weighs as much as `part` out of all of `weighing`; undefined: too little to speak of. */
export function severity({ compilers, by }: Weighing, part: number): 'blocker' | 'limit' | undefined {
  const all = total(compilers);
  if (part <= 0 || all === 0) return undefined;
  if (by === 'units') return part >= all ? 'blocker' : 'limit';
  const percent = (part / all) * 100;
  if (percent < FEW) return undefined;
  return percent >= MOST ? 'blocker' : 'limit';
}

/** `3 of 10 units have THING`, or `12.3 % of the samples lie in THING`. */
export function lieIn({ compilers, by }: Weighing, part: number, thing: string): string {
  const all = total(compilers);
  if (by === 'samples') return `${formatShare(part, all)} of the samples lie in ${thing}`;
  return `${formatCount(part)} of ${plural(all, 'unit')} ${part === 1 ? 'has' : 'have'} ${thing}`;
}

function total(compilers: readonly CompilerCounts[]): number {
  return compilers.reduce((sum, { units }) => sum + units, 0);
}

import type { Steps } from '../sample-profile/steps.js';
import type { FunctionSamples, ProfileSummary } from '../sample-profile/types.js';
import type { Temperature, TemperatureShare, Thresholds } from './types.js';

/** LLVM's defaults of `-profile-summary-cutoff-hot` and `-profile-summary-cutoff-cold`, in millionths. */
const HOT_CUTOFF = 990_000;
/** Cut-offs of the summary that divide hot counts by their heat, in millionths. */
const HALF_CUTOFF = 500_000;
const MOST_CUTOFF = 900_000;
const COLD_CUTOFF = 999_999;

/**
 * Returns the thresholds that follow from a profile's summary (LLVM: ProfileSummaryInfo.cpp, `computeThresholds`).
 */
export function thresholdsOf({ entries }: ProfileSummary): Thresholds {
  // A profile need not have a row for each cut-off, so the first row that reaches the cut-off is used.
  const at = (cutoff: number) => entries.find((entry) => entry.cutoff >= cutoff)?.minCount ?? 0n;
  return { half: at(HALF_CUTOFF), most: at(MOST_CUTOFF), hot: at(HOT_CUTOFF), cold: at(COLD_CUTOFF) };
}

/**
 * Returns the temperature of a count. In a profile of equal counts, a count can be both hot and cold; it is then
 * hot.
 */
export function temperatureOf(count: bigint, { hot, cold }: Pick<Thresholds, 'hot' | 'cold'>): Temperature {
  if (count >= hot) return 'hot';
  return count <= cold ? 'cold' : 'warm';
}

/** Returns the largest count in a function, inlined code included. */
export function largestCount({ body, inlined }: FunctionSamples): bigint {
  let max = 0n;
  for (const { count } of body) if (count > max) max = count;
  for (const { samples } of inlined) {
    const inner = largestCount(samples);
    if (inner > max) max = inner;
  }
  return max;
}

/** Computes the functions, lines and samples of a profile by temperature. */
export function* temperatureShares(
  functions: readonly FunctionSamples[],
  thresholds: Thresholds,
): Steps<Record<Temperature, TemperatureShare>> {
  const empty = (): TemperatureShare => ({ functions: 0, lines: 0, samples: 0n });
  const shares = { hot: empty(), warm: empty(), cold: empty() };
  const addLines = ({ body, inlined }: FunctionSamples) => {
    for (const { count } of body) {
      const share = shares[temperatureOf(count, thresholds)];
      share.lines++;
      share.samples += count;
    }
    for (const { samples } of inlined) addLines(samples);
  };
  for (const samples of functions) {
    shares[temperatureOf(largestCount(samples), thresholds)].functions++;
    addLines(samples);
    yield;
  }
  return shares;
}

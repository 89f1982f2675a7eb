import { compareWith } from '../compare-profiles.js';
import { fullName } from '../report/function-samples.js';
import { readProfile } from '../sample-profile/read-profile.js';
import type { ComparisonReport } from './types.js';

/** Largest number of functions in each list of changes. */
const TOP = 500;

/**
 * Compares a profile with an older one. `bytes` is the profile itself, and is used if no file has it; `path` then
 * only names it.
 */
export async function comparisonWith(
  base: string,
  path: string,
  bytes: Uint8Array | undefined,
  signal: AbortSignal | undefined,
): Promise<ComparisonReport> {
  const { text: _, ...result } = await compareWith({ base, test: path, top: TOP, signal }, bytes);
  const { functions } = await readProfile(base, { signal });
  return {
    path: base,
    totalSamples: functions.reduce((sum, { total }) => sum + total, 0n),
    functions: new Map(functions.map((samples) => [fullName(samples, (name) => name), samples])),
    result,
  };
}

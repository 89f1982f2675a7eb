import { runMerge } from './native.js';
import { type MergeOptions, toBindingMergeOptions } from './options/merge.js';
import type { Diagnostic } from './result.js';

/** An input that was left out because of `keepGoing`. */
export interface SkippedProfile {
  path: string;
  /** The fault of the input, and where the fault is. */
  message: string;
}

/** The result of a merge. Counts are `bigint`, numbers of things are `number`. */
export interface MergeResult {
  /** The file that was written, or undefined when the result is in `bytes`. */
  output: string | undefined;
  /** The profile when no output was named. */
  bytes: Uint8Array | undefined;
  /** Size of the result in bytes. */
  size: number;
  /** Number of profiles that were merged. */
  inputs: number;
  /** Profiles that were left out. */
  skipped: SkippedProfile[];
  /** Number of functions that were dropped by name, because they are cold, or for the size limit. */
  dropped: number;
  /** Top-level functions in the result. */
  functions: number;
  /** Sum of all body counts. */
  totalCount: bigint;
  /** Largest body count. */
  maxCount: bigint;
  /** Warnings and notes: what was lost or left out. */
  diagnostics: Diagnostic[];
}

/**
 * Merges sample profiles in parallel. The memory does not grow with the number of profiles.
 *
 * The result says the same as the result of `llvm-profdata merge --sample`. The output is written only if the
 * whole job succeeds.
 *
 * @example
 * ```ts
 * await mergeProfiles({ inputs: ['a.afdo', { path: 'b.afdo', weight: 3 }], output: 'fleet.afdo' });
 * ```
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted.
 */
export async function mergeProfiles(options: MergeOptions): Promise<MergeResult> {
  const outcome = await runMerge(toBindingMergeOptions(options), options);
  return { ...outcome, output: options.output, bytes: outcome.bytes };
}

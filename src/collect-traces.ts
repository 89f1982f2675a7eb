import { runCollect } from './native.js';
import { type CollectOptions, toBindingCollectOptions } from './options/collect.js';
import type { Diagnostic, PhaseTiming } from './result.js';

/** A file of traces that was written. */
export interface WrittenShard {
  path: string;
  /** How many rows it has. */
  rows: number;
  /** Its size in bytes. */
  size: number;
}

/** How often something was met. */
export interface Counted {
  name: string;
  count: bigint;
}

/** What came of a collection. */
export interface CollectResult {
  /** The files, in the order that they were finished. */
  shards: WrittenShard[];
  /** Samples and branch entries that were read, and those of them that are in no row of a branch, by reason. */
  ledger: Counted[];
  /** Warnings and notes. */
  diagnostics: Diagnostic[];
  /** How long each phase took. */
  timings: PhaseTiming[];
}

/**
 * Collects how often which branch was taken into trace shards: Parquet files that any SQL engine can add up, and from which
 * `generateProfile({ binary, traces })` makes the profiles that it makes from the recordings. No binary is needed.
 *
 * A file appears when it is complete, or not at all, even if the process is killed. If `signal` is aborted while a stream is read, the open
 * file is finished with what was read before the promise is rejected.
 *
 * @example
 * ```ts
 * const { shards } = await collectTraces({ perfData: 'perf.data', output: 'traces.parquet' });
 * ```
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted.
 */
export async function collectTraces(options: CollectOptions): Promise<CollectResult> {
  return runCollect(toBindingCollectOptions(options), options);
}

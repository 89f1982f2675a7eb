import { runCollect } from './native.js';
import { type CollectOptions, toBindingCollectOptions } from './options/collect.js';
import type { Diagnostic, PhaseTiming } from './result.js';

/** A file of traces that was written. */
export interface WrittenShard {
  path: string;
  /** Number of rows in the file. */
  rows: number;
  /** Size of the file in bytes. */
  size: number;
}

/** A name, and how often the thing with this name occurred. */
export interface Counted {
  name: string;
  count: bigint;
}

/** The result of a collection. */
export interface CollectResult {
  /** The files that were written, in the order in which they were finished. */
  shards: WrittenShard[];
  /** `signal` was aborted before a stream had ended, or before all inputs were read. */
  interrupted: boolean;
  /**
   * Number of samples, branch entries and sampled addresses that were read, and of those that are in no row of a
   * branch or of an address, by reason.
   */
  ledger: Counted[];
  /** Warnings and notes. */
  diagnostics: Diagnostic[];
  /** Time of each phase. */
  timings: PhaseTiming[];
}

/**
 * Counts how often each branch was taken, or how often each address was sampled, and writes the counts into trace
 * shards: Parquet files that any SQL engine can add up. `generateProfile({ binary, traces })` makes the same profiles
 * from trace shards as from the recordings. No binary is needed.
 *
 * A file appears only when it is complete, even if the process is killed.
 *
 * A stream of `perf record -o -` may go on for days. Abort `signal` to end it: what perf still writes is read for at
 * most 5 seconds, the open file is finished, and the promise is fulfilled. If the inputs are files, it is rejected.
 *
 * @example
 * ```ts
 * const { shards } = await collectTraces({ perfData: 'perf.data', output: 'traces.parquet' });
 * ```
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted, unless a stream is read.
 */
export async function collectTraces(options: CollectOptions): Promise<CollectResult> {
  return runCollect(toBindingCollectOptions(options), options);
}

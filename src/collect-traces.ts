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
 * shards: Parquet files that any SQL engine can add up. `generateProfile({ binary, traces })` makes the same profiles from trace shards as from the
 * recordings. No binary is needed.
 *
 * A file appears only when it is complete, even if the process is killed. If `signal` is aborted while a stream is
 * read, the open file is finished with the rows that were read so far, and then the promise is rejected.
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

import type { Counted } from './collect-traces.js';
import { type JobControl, runInspectShard } from './native.js';
import { invalid } from './options/check.js';

/** A file that rows of traces are of. */
export interface TracedBinary {
  /** In hexadecimal digits, if the recording had it. */
  buildId: string | undefined;
  /** As it was mapped. */
  path: string;
  kind: 'user' | 'kernel' | 'module';
  rows: number;
  /** How often its branches were taken. */
  count: bigint;
  /** How often they were mispredicted. */
  mispredicted: bigint;
}

/** What a trace shard holds. Counts are `bigint`, numbers of things are `number`. */
export interface TracesSummary {
  file: string;
  /** In bytes. */
  size: number;
  rows: number;
  /** Groups of rows. */
  groups: number;
  /** Absent in what an SQL engine wrote, as are the next four. */
  schemaVersion: number | undefined;
  /** The program that collected the traces. */
  tool: string | undefined;
  /** Times of the first and the last sample, in nanoseconds of the recording's clock. */
  sampleTimes: [bigint, bigint] | undefined;
  /** When the file was finished. */
  written: Date | undefined;
  /** The host that recorded, if the collection was asked to name it. */
  host: string | undefined;
  /** The mapped files, those with most branches first. */
  binaries: TracedBinary[];
  /** Branches by event. */
  events: Counted[];
  /** Samples and branch entries that were read, and those of them that are in no row of a branch, by reason. */
  ledger: Counted[];
}

/**
 * Reads all of a trace shard, and tells what it holds. What it accepts can be used.
 *
 * @throws AutofdoError that names what is wrong: `INPUT_UNREADABLE`, `INPUT_INVALID`, or `UNSUPPORTED` for a newer schema.
 */
export async function inspectTraces(path: string, control: JobControl = {}): Promise<TracesSummary> {
  if (typeof path !== 'string' || path === '') throw invalid('no file was given', 'pass its path');
  const { sampleTimes, written, schemaVersion, tool, host, binaries, ...same } = await runInspectShard(
    path,
    control,
  );
  const [first, last] = sampleTimes ?? [];
  return {
    file: path,
    ...same,
    schemaVersion,
    tool,
    host,
    sampleTimes: first === undefined || last === undefined ? undefined : [BigInt(first), BigInt(last)],
    written: written === undefined ? undefined : new Date(written * 1000),
    binaries: binaries.map(({ buildId, ...binary }) => ({ buildId, ...binary })),
  };
}

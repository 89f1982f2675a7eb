import type { Counted } from './collect-traces.js';
import { type JobControl, runInspectShard } from './native.js';
import { checkTraces, invalid } from './options/check.js';

/** A mapped file that has rows in a trace shard. */
export interface TracedBinary {
  /** Build id in hexadecimal digits; undefined if the recording had none. */
  buildId: string | undefined;
  /** Path of the file, as it was mapped. */
  path: string;
  kind: 'user' | 'kernel' | 'module';
  /** Number of rows of branches, of sampled addresses, of calls on their call chains, and of whole samples. */
  rows: number;
  /** Number of times that branches with a start or an end in the file were taken. A branch from one file to another counts in both. */
  count: bigint;
  /** Number of mispredicted branches among them. */
  mispredicted: bigint;
  /** Number of sampled addresses in the file. */
  addresses: bigint;
  /** Number of samples that were collected with their call chains, and have branches in the file. */
  stacks: bigint;
}

/** The contents of a trace shard. Counts are `bigint`, numbers of things are `number`. */
export interface TracesSummary {
  file: string;
  /** Size of the file in bytes. */
  size: number;
  rows: number;
  /** Number of row groups. */
  groups: number;
  /** Version of the schema. This field and the next four are undefined if an SQL engine wrote the file. */
  schemaVersion: number | undefined;
  /** The program that collected the traces. */
  tool: string | undefined;
  /** Times of the first and the last sample, in nanoseconds of the recording's clock. */
  sampleTimes: [bigint, bigint] | undefined;
  /** Time at which the file was finished. */
  written: Date | undefined;
  /** Name of the recording host, if the collection was asked to write it. */
  host: string | undefined;
  /** The mapped files; the file with the most branches first, or else the file with the most sampled addresses. */
  binaries: TracedBinary[];
  /** Numbers of branches and of sampled addresses by event. Each branch is counted once, in the file where it starts. Branches that start in no mapped file are left out. */
  events: Counted[];
  /**
   * Number of samples, branch entries and sampled addresses that were read, and of those that are in no row of a
   * branch or of an address, by reason.
   */
  ledger: Counted[];
}

/**
 * Reads a whole trace shard, and describes its contents. A shard that this function accepts can be used for
 * profiles.
 *
 * @throws AutofdoError that names the fault: `INPUT_UNREADABLE`, `INPUT_INVALID`, or `UNSUPPORTED` for a newer
 * schema.
 */
export async function inspectTraces(path: string, control: JobControl = {}): Promise<TracesSummary> {
  if (typeof path !== 'string' || path === '') throw invalid('no file was given', 'pass its path');
  checkTraces([path]);
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

import type { Finding } from '../diagnosis/findings.js';
import type { BinaryStatistics, Diagnostic } from '../result.js';
import type {
  ComparisonReport,
  Coverage,
  ProfileReport,
  RecordingReport,
  Temperature,
  Thresholds,
} from './types.js';

// What the page is given: JSON, packed with gzip, in base64. Names, files and functions are numbers of entries in the lists of their
// profile. One block tells of all functions; the counts of their lines come in blocks of their own, which are unpacked when they are
// looked at.

/** A count: a number where that is exact, else its decimal digits. */
export type PackedCount = number | string;

/** A value with its counts as the page is given them. */
export type WithPackedCounts<T> = T extends bigint
  ? PackedCount
  : T extends readonly (infer V)[]
    ? WithPackedCounts<V>[]
    : T extends object
      ? { [K in keyof T]: WithPackedCounts<T[K]> }
      : T;

/** The block `index`. */
export interface PackedReport {
  version: string;
  recording: WithPackedCounts<RecordingReport> | undefined;
  profiles: PackedProfile[];
  failures: { name: string; message: string; hint: string | undefined }[];
  diagnostics: Diagnostic[];
}

/** A profile without the lines of its functions. */
export interface PackedProfile
  extends Pick<
    ProfileReport,
    'name' | 'path' | 'buildId' | 'format' | 'locations' | 'contextSensitive' | 'md5' | 'density'
  > {
  totalCount: PackedCount;
  totalSamples: PackedCount;
  maxCount: PackedCount;
  thresholds: Record<keyof Thresholds, PackedCount>;
  temperatures: Record<Temperature, { functions: number; lines: number; samples: PackedCount }>;
  coverage: Coverage | undefined;
  statistics: WithPackedCounts<BinaryStatistics> | undefined;
  findings: Finding[];
  diagnostics: Diagnostic[];
  /** The lines with the largest counts: the function that a line is of, and the one with code of its own that it is in. */
  hotLines: [name: number, inside: number, line: number, discriminator: number, count: PackedCount][];
  /** All names; those of the functions come first, in their order. */
  names: string[];
  /** Names as the source has them, with the numbers of the names that they are for. */
  shown: [name: number, shown: string][];
  files: string[];
  places: [name: number, file: number, line: number][];
  functions: PackedColumns;
  /** The first function of each block of lines. */
  blocks: number[];
  /** Whether there is source of any function. */
  hasSource: boolean;
  comparison: PackedComparison | undefined;
}

/** Numbers of all functions, an entry for each. */
export interface PackedColumns {
  total: PackedCount[];
  head: PackedCount[];
  self: PackedCount[];
  inlinedTotal: PackedCount[];
  copies: number[];
  /** How many functions call it or have it inlined, and how many it calls or has inlined. */
  callers: number[];
  callees: number[];
  /** The largest count in it, or in its copies. */
  max: PackedCount[];
}

export interface PackedComparison extends WithPackedCounts<Pick<ComparisonReport, 'path' | 'result'>> {
  totalSamples: PackedCount;
  /** Names in `result` as the source has them, of those that are mangled. */
  shown: [name: string, shown: string][];
  /** What each function had in the base profile; null if it was not there. */
  totals: (PackedCount | null)[];
}

/** A block of lines, `PROFILE-BLOCK`. */
export interface PackedBlock {
  functions: PackedFunction[];
  sources: PackedSource[];
}

/** Consecutive lines of a file, with the number of the first. */
export type PackedSource = [file: number, first: number, text: string];

export interface PackedFunction {
  /** Null for a function that was only inlined into others. */
  samples: PackedSamples | null;
  /** Of such a function, the sums over its copies. */
  copyLines: [line: number, discriminator: number, count: PackedCount][];
  /** Counts of its own lines in the base profile. */
  baseLines: [line: number, discriminator: number, count: PackedCount][];
  callers: PackedCall[];
  callees: PackedCall[];
}

/** The other end of calls. */
export type PackedCall = [name: number, calls: PackedCount, inlined: PackedCount];

/** A function, inlined or not: name, total, lines, and what is inlined into it. */
export type PackedSamples = [
  name: number,
  total: PackedCount,
  body: PackedLine[],
  inlined: [line: number, discriminator: number, samples: PackedSamples][],
];

/** A line: place, count, then name and count of each call target. */
export type PackedLine = [line: number, discriminator: number, count: PackedCount, ...targets: PackedCount[]];

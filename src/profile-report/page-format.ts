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

// The data of the page: JSON, packed with gzip, in base64. Names, files and functions are numbers of entries in
// the lists of their profile. One block has the facts of all functions. The counts of their lines are in blocks of
// their own, which are unpacked when somebody looks at them.

/** A count: a number if a number is exact, otherwise its decimal digits. */
export type PackedCount = number | string;

/** A value with its counts in the form that the page reads. */
export type WithPackedCounts<T> = T extends bigint
  ? PackedCount
  : T extends readonly (infer V)[]
    ? WithPackedCounts<V>[]
    : T extends object
      ? { [K in keyof T]: WithPackedCounts<T[K]> }
      : T;

/** The contents of the block `index`. */
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
  /**
   * The lines with the largest counts. `name` is the function to which the line belongs; `inside` is the function
   * whose code holds it.
   */
  hotLines: [name: number, inside: number, line: number, discriminator: number, count: PackedCount][];
  /** All names. The names of the functions come first, in the order of the functions. */
  names: string[];
  /** Names in the source, with the numbers of the mangled names. */
  shown: [name: number, shown: string][];
  files: string[];
  places: [name: number, file: number, line: number][];
  functions: PackedColumns;
  /** Number of the first function of each block of lines. */
  blocks: number[];
  /** True if the report has source of any function. */
  hasSource: boolean;
  comparison: PackedComparison | undefined;
}

/** Numbers of all functions: each column has one entry for each function. */
export interface PackedColumns {
  total: PackedCount[];
  head: PackedCount[];
  self: PackedCount[];
  inlinedTotal: PackedCount[];
  copies: number[];
  /** Number of functions that call or inline the function, and number of functions that it calls or inlines. */
  callers: number[];
  callees: number[];
  /** Largest count in the function, or in its inlined copies. */
  max: PackedCount[];
}

export interface PackedComparison extends WithPackedCounts<Pick<ComparisonReport, 'path' | 'result'>> {
  totalSamples: PackedCount;
  /** Mangled names in `result`, with their names in the source. */
  shown: [name: string, shown: string][];
  /** Total of each function in the base profile; null if the base profile does not have the function. */
  totals: (PackedCount | null)[];
}

/** The contents of a block of lines, `PROFILE-BLOCK`. */
export interface PackedBlock {
  functions: PackedFunction[];
  sources: PackedSource[];
}

/** Consecutive lines of a file: the number of the file, the number of the first line, and the text. */
export type PackedSource = [file: number, first: number, text: string];

export interface PackedFunction {
  /** Counts of the function; null for a function that is only inlined into others. */
  samples: PackedSamples | null;
  /** For a function that is only inlined: the sums over its copies. */
  copyLines: [line: number, discriminator: number, count: PackedCount][];
  /** Counts of the function's own lines in the base profile. */
  baseLines: [line: number, discriminator: number, count: PackedCount][];
  callers: PackedCall[];
  callees: PackedCall[];
}

/** The other end of calls: its name, the number of calls, and the samples of inlined copies. */
export type PackedCall = [name: number, calls: PackedCount, inlined: PackedCount];

/** A function, inlined or not: its name, total and lines, and the functions that are inlined into it. */
export type PackedSamples = [
  name: number,
  total: PackedCount,
  body: PackedLine[],
  inlined: [line: number, discriminator: number, samples: PackedSamples][],
];

/** A line: its place and count, then the name and the count of each call target. */
export type PackedLine = [line: number, discriminator: number, count: PackedCount, ...targets: PackedCount[]];

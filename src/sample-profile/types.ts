/**
 * Encoding of a profile. clang reads all three; `extbinary` is what llvm-profgen writes by default and what
 * kernel builds expect.
 */
export type ProfileFormat = 'extbinary' | 'binary' | 'text';

/**
 * A place in a function: the number of lines from the function's first line, and the discriminator, which tells
 * copies of a line apart.
 */
export interface LineLocation {
  line: number;
  discriminator: number;
}

/** The count of one location, and the functions that were called from there. */
export interface BodyRecord extends LineLocation {
  /** Number of samples of the location, unsigned, 64 bits. */
  count: bigint;
  /** Call targets, the most frequent first, then by name. */
  targets: CallTarget[];
}

/** A function that was called from a location. */
export interface CallTarget {
  name: string;
  /** Number of calls, unsigned, 64 bits. */
  count: bigint;
}

/** A function that was inlined at a location. */
export interface InlinedFunction extends LineLocation {
  samples: FunctionSamples;
}

/** A caller, and the call in it. */
export interface CallerFrame extends LineLocation {
  name: string;
}

/** Samples of a function, or of one inlined copy of it. */
export interface FunctionSamples {
  /** Name in the profile; in a profile with MD5 names, 16 hexadecimal digits of the hash. */
  name: string;
  /**
   * The callers of the function, the outermost first. All functions of a context-sensitive profile have this
   * field, and no other functions.
   */
  callers?: CallerFrame[];
  /** Total of the function's samples, unsigned, 64 bits. */
  total: bigint;
  /** Number of times that the function was entered; 0 in inlined copies. */
  head: bigint;
  /** Counts of lines, ascending by location. */
  body: BodyRecord[];
  /** Inlined functions, ascending by location, then by name. */
  inlined: InlinedFunction[];
  /** Checksum of the function's control-flow graph, in profiles by pseudo probes. */
  checksum?: bigint;
  /**
   * Bits that context-sensitive profiles have, and profiles made from these. 1: the function was inlined. 2: the
   * function should be inlined. 4: the counts are also part of the function's own counts.
   */
  attributes?: number;
}

/**
 * One row of the summary. The `counts` largest counts, each at least `minCount`, make up `cutoff` millionths of
 * the sum.
 */
export interface SummaryEntry {
  cutoff: number;
  /** Least of these counts, unsigned, 64 bits. */
  minCount: bigint;
  counts: number;
}

/** Sums over a profile, as its binary forms store them. */
export interface ProfileSummary {
  totalCount: bigint;
  maxCount: bigint;
  maxFunctionCount: bigint;
  counts: number;
  functions: number;
  entries: SummaryEntry[];
}

/** A sample profile in any of the three forms. */
export interface SampleProfile {
  format: ProfileFormat;
  /** The functions in the order of the file. */
  functions: FunctionSamples[];
  /** The summary, which only the binary forms have. */
  summary: ProfileSummary | undefined;
  /** True if functions are told apart by their callers. Nothing is then inlined. */
  contextSensitive: boolean;
  /** True if names are MD5 hashes. */
  md5: boolean;
  /** True if discriminators are flow-sensitive, which only extbinary records. */
  flowSensitive: boolean;
  /** Names of the functions that the profiled binary had, sampled or not; empty if they were not recorded. */
  symbolList: string[];
}

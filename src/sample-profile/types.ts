/**
 * Encoding of a profile. clang reads all three; `extbinary` is what llvm-profgen writes by default and what
 * kernel builds expect.
 */
export type ProfileFormat = 'extbinary' | 'binary' | 'text';

/** A place in a function: lines from its first one, and the discriminator that tells copies of a line apart. */
export interface LineLocation {
  line: number;
  discriminator: number;
}

/** Samples of one location, with what was called from there. */
export interface BodyRecord extends LineLocation {
  /** Unsigned, 64 bits. */
  count: bigint;
  /** Most frequent first, then by name. */
  targets: CallTarget[];
}

/** A function that was called from a location. */
export interface CallTarget {
  name: string;
  /** Unsigned, 64 bits. */
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
  /** As the profile has it; with MD5 names, 16 hexadecimal digits of the hash. */
  name: string;
  /** Who called it, the outermost first; only, and always, in a context-sensitive profile. */
  callers?: CallerFrame[];
  /** Unsigned, 64 bits. */
  total: bigint;
  /** How often the function was entered. 0 in inlined copies. */
  head: bigint;
  /** Ascending by location. */
  body: BodyRecord[];
  /** Ascending by location, then by name. */
  inlined: InlinedFunction[];
  /** CFG checksum of a probe-based profile. */
  checksum?: bigint;
  /**
   * Bits of context-sensitive profiles and of those made from them: 1 was inlined, 2 should be inlined, 4 the counts
   * are also part of the function's own.
   */
  attributes?: number;
}

/** One row of the summary: the `counts` largest counts, none below `minCount`, make up `cutoff` millionths. */
export interface SummaryEntry {
  cutoff: number;
  /** Unsigned, 64 bits. */
  minCount: bigint;
  counts: number;
}

/** Sums over a profile, as its binary forms hold them. */
export interface ProfileSummary {
  totalCount: bigint;
  maxCount: bigint;
  maxFunctionCount: bigint;
  counts: number;
  functions: number;
  entries: SummaryEntry[];
}

/** A sample profile in any of its forms. */
export interface SampleProfile {
  format: ProfileFormat;
  /** In the order of the file. */
  functions: FunctionSamples[];
  /** The binary forms only. */
  summary: ProfileSummary | undefined;
  /** Functions are told apart by their callers, and nothing is inlined. */
  contextSensitive: boolean;
  /** Names are MD5 hashes. */
  md5: boolean;
  /** Discriminators are flow-sensitive (extbinary tells). */
  flowSensitive: boolean;
  /** Functions that the profiled binary had, sampled or not; empty when not recorded. */
  symbolList: string[];
}

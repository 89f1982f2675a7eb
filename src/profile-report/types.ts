import type { CompareResult } from '../compare-profiles.js';
import type { Finding } from '../diagnosis/findings.js';
import type { AutofdoError } from '../errors.js';
import type { BinaryStatistics, Diagnostic, Statistics } from '../result.js';
import type { FunctionSamples, LineLocation, ProfileFormat } from '../sample-profile/types.js';

/**
 * Temperature of a count, by the cut-offs of the profile's summary, as in LLVM. `hot` counts make up 99 % of all
 * samples; `cold` counts are not needed for 99.9999 % of them.
 */
export type Temperature = 'hot' | 'warm' | 'cold';

/** The contents of profiles, the places where their weight lies, and the samples that the recording missed. */
export interface Report {
  /** Version of this package. */
  version: string;
  /** Facts about the recordings; undefined for finished profiles. */
  recording: RecordingReport | undefined;
  /** The profiles, one for each binary or finished profile. */
  profiles: ProfileReport[];
  /** Binaries of the recording that have no profile. */
  failures: { name: string; error: AutofdoError }[];
  /** Warnings and notes that belong to no single profile. */
  diagnostics: Diagnostic[];
}

/** Facts about the recordings, and the fate of their entries. */
export interface RecordingReport {
  /** The recordings. */
  files: string[];
  /** Time from the first sample to the last in seconds, summed over all files; undefined if it is not known. */
  seconds: number | undefined;
  /** Number of samples and branch entries, and the ledger of the entries' fate. */
  statistics: Statistics;
}

/** One profile. */
export interface ProfileReport {
  /** Name of the binary, or of the file of a finished profile. */
  name: string;
  /** Path of the binary, or of the finished profile. */
  path: string;
  /** Build id of the binary in hexadecimal digits. */
  buildId: string | undefined;
  /** Encoding of a finished profile; undefined if the profile was made from a recording. */
  format: ProfileFormat | undefined;
  /** The meaning of line numbers: lines from the declaration of the function, or numbers of pseudo probes. */
  locations: 'lines' | 'probes';
  /** True if functions are told apart by their callers. */
  contextSensitive: boolean;
  /** True if names are MD5 hashes, written as 16 hexadecimal digits. */
  md5: boolean;
  /** Sum of all body counts. */
  totalCount: bigint;
  /** Sum of the totals of all functions. */
  totalSamples: bigint;
  /** Largest body count. */
  maxCount: bigint;
  /** Number of samples for each instruction line of the hot part, and the sufficient number. */
  density: { value: number; enough: number };
  /** Counts from which on a count is hot, or up to which it is cold. */
  thresholds: Thresholds;
  /** Functions, lines and samples by temperature. */
  temperatures: Record<Temperature, TemperatureShare>;
  /** Share of the binary that has samples; undefined for finished profiles. */
  coverage: Coverage | undefined;
  /** Numbers about this binary; undefined for finished profiles. */
  statistics: BinaryStatistics | undefined;
  /** Findings that limit the worth of the profile, with remedies; only if a binary was given. */
  findings: Finding[];
  /** Warnings and notes about this profile. */
  diagnostics: Diagnostic[];
  /**
   * Functions by their weight, the heaviest first. Functions that are only inlined into others are in the list,
   * too.
   */
  functions: FunctionReport[];
  /**
   * Mangled names of this profile and of the base profile, with their names in the source; without the hash of
   * `-funique-internal-linkage-names`.
   */
  names: Map<string, string>;
  /** Places where functions are declared, by name; empty without a binary. */
  places: Map<string, SourcePlace>;
  /** Source lines of functions, by the `file` of a place; empty without `sourceDir`. */
  sources: Map<string, SourceLines>;
  /** Changes since the base profile; undefined if no base profile was given. */
  comparison: ComparisonReport | undefined;
}

/** Counts with which the counts of a profile are compared. */
export interface Thresholds {
  /** Least of the largest counts that together make up 50 % of all counts. */
  half: bigint;
  /** Least of the largest counts that together make up 90 % of all counts. */
  most: bigint;
  /** The least hot count: least of the largest counts that together make up 99 % of all counts. */
  hot: bigint;
  /** The largest cold count. */
  cold: bigint;
}

/** The part of a profile that has one temperature. */
export interface TemperatureShare {
  /**
   * Number of functions whose largest count has this temperature. Inlined code belongs to the function around it.
   */
  functions: number;
  /** Number of lines whose count has this temperature. */
  lines: number;
  /** Sum of the counts with this temperature. */
  samples: bigint;
}

/** The part of the binary in which samples lie. */
export interface Coverage {
  /** Number of functions with code of their own. */
  functions: number;
  /** Number of these functions that have samples. */
  sampledFunctions: number;
}

/** The place where a function is declared. */
export interface SourcePlace {
  /** Path in the debug information, without needless parts. */
  file: string;
  /** Number of the line from which lines of the profile are counted. */
  line: number;
}

/** Lines of a file: the text of each line, by its number from 1. */
export type SourceLines = Map<number, string>;

/** A function of a profile. */
export interface FunctionReport {
  /** Name in the profile. In a context-sensitive profile the name includes the callers: `main:3 @ leaf`. */
  name: string;
  /** All counts of the function, exact; undefined for a function that is only inlined into others. */
  samples: FunctionSamples | undefined;
  /**
   * Samples of the function's own code, inlined functions included; 0 if the function is only inlined into others.
   */
  total: bigint;
  /** Number of times that the function was entered. */
  head: bigint;
  /** Sum of the counts of the function's own lines, without inlined code. */
  self: bigint;
  /** Samples of the function's copies that are inlined into other functions. */
  inlinedTotal: bigint;
  /** Number of inlined copies that have samples. */
  copies: number;
  /** Counts of the function's own lines, summed over the inlined copies; ascending by location. */
  copyLines: LineCount[];
  /**
   * Largest count in the function, inlined code included. For a function that is only inlined: largest count in
   * its copies.
   */
  max: bigint;
  temperature: Temperature;
  /** Functions that call this function or have it inlined, the most frequent first. */
  callers: CallReport[];
  /**
   * Functions that this function calls or has inlined, from inlined code, too; the most frequent first. Empty if
   * the function is only inlined into others.
   */
  callees: CallReport[];
}

/** A count of a location. */
export interface LineCount extends LineLocation {
  count: bigint;
}

/** One end of a call: a caller, which is a function with code of its own, or a callee. */
export interface CallReport {
  name: string;
  /** Number of calls that were counted, calls from inlined code included. */
  calls: bigint;
  /**
   * Samples of the callee's copies that are inlined into the caller, with the code that is inlined into these
   * copies.
   */
  inlined: bigint;
}

/** The changes since a base profile. */
export interface ComparisonReport {
  /** Path of the base profile. */
  path: string;
  /** Sum of the totals of all functions of the base profile. */
  totalSamples: bigint;
  /** Functions of the base profile, by name; in a context-sensitive profile the name includes the callers. */
  functions: Map<string, FunctionSamples>;
  /** Similarity, overlap, and the functions that were gained, lost or changed most. */
  result: Omit<CompareResult, 'text'>;
}

import type { CompareResult } from '../compare-profiles.js';
import type { Finding } from '../diagnosis/findings.js';
import type { AutofdoError } from '../errors.js';
import type { BinaryStatistics, Diagnostic, Statistics } from '../result.js';
import type { FunctionSamples, LineLocation, ProfileFormat } from '../sample-profile/types.js';

/**
 * How much a count matters, by the cut-offs of the profile's summary as LLVM has them: `hot` counts make up 99 % of all
 * samples, `cold` ones are not needed for 99.9999 %.
 */
export type Temperature = 'hot' | 'warm' | 'cold';

/** What profiles hold, where their weight lies, and what the recording missed. */
export interface Report {
  /** The release of this package that made it. */
  version: string;
  /** What was read of recordings; undefined for finished profiles. */
  recording: RecordingReport | undefined;
  /** One for each binary or finished profile. */
  profiles: ProfileReport[];
  /** Binaries of the recording that have no profile. */
  failures: { name: string; error: AutofdoError }[];
  /** Warnings and notes that are of none of the profiles. */
  diagnostics: Diagnostic[];
}

/** What was read of the recordings, and what became of it. */
export interface RecordingReport {
  /** The recordings. */
  files: string[];
  /** Seconds from the first sample to the last, all files together; undefined where that is not known. */
  seconds: number | undefined;
  /** Samples, branch entries and the ledger of what became of them. */
  statistics: Statistics;
}

/** One profile. */
export interface ProfileReport {
  /** Name of the binary, or of the file of a finished profile. */
  name: string;
  /** The file that `name` is of. */
  path: string;
  /** Of the binary, in hexadecimal digits. */
  buildId: string | undefined;
  /** Encoding of a finished profile; undefined where the profile was just made. */
  format: ProfileFormat | undefined;
  /** What numbers of lines count: lines from the declaration of the function, or pseudo probes. */
  locations: 'lines' | 'probes';
  /** Functions are told apart by their callers. */
  contextSensitive: boolean;
  /** Names are MD5 hashes, as 16 hexadecimal digits. */
  md5: boolean;
  /** Sum of all body counts. */
  totalCount: bigint;
  /** Sum of the totals of all functions. */
  totalSamples: bigint;
  /** Largest body count. */
  maxCount: bigint;
  /** Samples for each instruction line of the hot part, and how many are enough. */
  density: { value: number; enough: number };
  /** What makes a count hot or cold. */
  thresholds: Thresholds;
  /** Functions, lines and samples by temperature. */
  temperatures: Record<Temperature, TemperatureShare>;
  /** How much of the binary has samples; undefined for finished profiles. */
  coverage: Coverage | undefined;
  /** Numbers of this binary; undefined for finished profiles. */
  statistics: BinaryStatistics | undefined;
  /** What limits the worth of the profile, with what to do about it; only where a binary was given. */
  findings: Finding[];
  /** Warnings and notes about it. */
  diagnostics: Diagnostic[];
  /** Functions by their weight, the heaviest first. Those that are only inlined into others are here, too. */
  functions: FunctionReport[];
  /** Names as the source has them, of those that are mangled, in this profile and in the base profile; without the hash of `-funique-internal-linkage-names`. */
  names: Map<string, string>;
  /** Where functions are declared, by name; empty without a binary. */
  places: Map<string, SourcePlace>;
  /** Lines of source that functions are in, by the `file` of a place; empty without `sourceDir`. */
  sources: Map<string, SourceLines>;
  /** What changed since the base profile; undefined if none was given. */
  comparison: ComparisonReport | undefined;
}

/** What counts are compared with. */
export interface Thresholds {
  /** The least of the largest counts that make up 50 % of all counts. */
  half: bigint;
  /** The same for 90 %. */
  most: bigint;
  /** The least hot count: the same for 99 %. */
  hot: bigint;
  /** The largest cold count. */
  cold: bigint;
}

/** What has one temperature. */
export interface TemperatureShare {
  /** Functions whose largest count has it; inlined code counts with the function around it. */
  functions: number;
  /** Lines whose count has it. */
  lines: number;
  /** Sum of these counts. */
  samples: bigint;
}

/** How much of the binary was seen to run. */
export interface Coverage {
  /** Functions with code of their own. */
  functions: number;
  /** Those of them with samples. */
  sampledFunctions: number;
}

/** Where a function is declared. */
export interface SourcePlace {
  /** Path as the compiler had it, without needless parts. */
  file: string;
  /** The line that lines of the profile are counted from. */
  line: number;
}

/** Parts of a file: the text of each line, by its number from 1. */
export type SourceLines = Map<number, string>;

/** A function of a profile. */
export interface FunctionReport {
  /** As the profile has it; in a context-sensitive profile with its callers, `main:3 @ leaf`. */
  name: string;
  /** All its counts, exact; undefined for a function that was only inlined into others. */
  samples: FunctionSamples | undefined;
  /** Samples of its own code, with what is inlined into it; 0 if it was only inlined into others. */
  total: bigint;
  /** How often it was entered. */
  head: bigint;
  /** Sum of the counts of its own lines, without code that is inlined into it. */
  self: bigint;
  /** Samples of its copies that are inlined into other functions. */
  inlinedTotal: bigint;
  /** How many such copies have samples. */
  copies: number;
  /** Counts of its own lines, summed over these copies; ascending by location. */
  copyLines: LineCount[];
  /** The largest count in it, inlined code included; of a function that was only inlined, in its copies. */
  max: bigint;
  temperature: Temperature;
  /** Who calls it and what it is inlined into, the most frequent first. */
  callers: CallReport[];
  /** What it calls, inlined code included, and what is inlined into it, the most frequent first; empty if it was only inlined into others. */
  callees: CallReport[];
}

/** A count of a location. */
export interface LineCount extends LineLocation {
  count: bigint;
}

/** One end of a call: a caller, which is a function that is not inlined, or what it calls. */
export interface CallReport {
  name: string;
  /** Calls that were counted, those in inlined code included. */
  calls: bigint;
  /** Samples of the copies of the callee that are inlined into the caller, with what is inlined into these. */
  inlined: bigint;
}

/** What changed since a base profile. */
export interface ComparisonReport {
  /** The base profile's file. */
  path: string;
  /** Sum of the totals of all functions of the base profile. */
  totalSamples: bigint;
  /** Its functions, by name; in a context-sensitive profile with their callers. */
  functions: Map<string, FunctionSamples>;
  /** Similarity, overlap, and what was gained, lost and changed most. */
  result: Omit<CompareResult, 'text'>;
}

import type { BindingEntryClassName } from '../native/binding/index.cjs';
import type { DiagnosticCode } from './diagnostic-code.js';
import type { AutofdoError } from './errors.js';
import type { Phase } from './progress.js';

/**
 * The fate of a branch entry. Every entry that is read is counted in exactly one class:
 *
 * - `used`: counted as a branch, as an end of a straight-line range, or both
 * - `outsideBinary`: both ends lie in other mapped files
 * - `unmapped`: both ends lie at addresses without a known mapping
 * - `otherBuild`: both ends lie in another build of the binary
 * - `notInstruction`: the entry lies in the binary, but neither end is the start of an instruction
 * - `stub`: in linkage stubs (`.plt`) or other code of the binary that has no symbols, or in the code that a
 *   kernel puts before a function and runs on the way into it
 * - `wrongPath`: executed speculatively and never retired (AMD LBRv2)
 * - `unfilledSlot`: an empty slot of the CPU's branch stack
 * - `notTaken`: a sampled branch that was not taken (Arm SPE); the code before it is counted with the next branch
 *   that is taken
 * - `deselected`: the sample was left out by event, process, thread, CPU or time
 * - `unsureStack`: the sample has no call stack, or was taken while a function was entered or left, when a call
 *   stack may lack a frame; only for recordings with call chains
 * - `crossesBarrier`: the straight-line range after the branch would pass a call, return or jump
 * - `noFunction`: the straight-line range starts in no function of the debug information
 */
export type EntryClass = BindingEntryClassName;

/** Number of branch entries in each class. The values sum to `Statistics.branchEntries`. */
export type Ledger = Readonly<Record<EntryClass, bigint>>;

/**
 * Numbers of a job. Counted events (samples, branches, executions) are `bigint`, because they may need all 64
 * bits. Numbers of things that are in files or in the profile are `number`.
 */
export interface Statistics {
  /** Bytes of input that were read. */
  inputBytes: number;
  /** Number of samples that were read. */
  samples: bigint;
  /** Number of samples with a branch stack of at least one entry. */
  branchSamples: bigint;
  /**
   * True if the sampled addresses are counted, because no sample has a branch stack, or because the options ask
   * for addresses. `branchEntries` and `ledger` then count samples.
   */
  byAddresses: boolean;
  /**
   * Number of branch entries that were read, unfilled slots included. With `compat` and several binaries, each
   * binary reads all entries, and this is the sum over the binaries.
   */
  branchEntries: bigint;
  /** Number of branch entries by their fate. */
  ledger: Ledger;
  /** Number of records that the kernel could not deliver, as the kernel reported it. */
  lostRecords: bigint;
  /** Number of mappings of the binary in the recording. */
  mappings: number;
  /** Number of processes with these mappings. */
  processes: number;
  /** Number of distinct straight-line ranges. */
  ranges: number;
  /** Number of distinct branches. */
  branches: number;
  /** Number of top-level functions in the profile. */
  functions: number;
  /** Sum of all body counts. */
  totalCount: bigint;
  /** Largest body count. */
  maxCount: bigint;
  /** Number of samples for each instruction line of the hot part (llvm-profgen's `--show-density`). */
  density: number;
}

/**
 * Numbers of one binary. The numbers of a job are the sums over its binaries, with two exceptions: the largest
 * count is the largest of all binaries, and the density is the lowest. With `mergeBinaries`, these two are the
 * numbers of the merged profile.
 */
export interface BinaryStatistics
  extends Pick<
    Statistics,
    'mappings' | 'processes' | 'ranges' | 'branches' | 'functions' | 'totalCount' | 'maxCount' | 'density'
  > {
  /**
   * Number of branch entries with at least one end in the binary. A branch from one binary to another counts for
   * both.
   */
  branchEntries: bigint;
  /** Number of these entries in the class `crossesBarrier` of {@link EntryClass}. */
  crossesBarrier: bigint;
  /** Number of these entries in the class `noFunction` of {@link EntryClass}. */
  noFunction: bigint;
}

/** A warning or note. Warnings never end a job. */
export interface Diagnostic {
  /** Stable identifier. */
  code: DiagnosticCode;
  /** `warning`: the user should look at it. `note`: the user may want to know it. */
  severity: 'warning' | 'note';
  /** One paragraph of text. Where llvm-profgen gives the same warning, this is llvm-profgen's text. */
  message: string;
}

/** Wall-clock time of one phase. */
export interface PhaseTiming {
  phase: Phase;
  /** Wall-clock time in milliseconds. */
  milliseconds: number;
}

/** The result for one binary. */
export interface BinaryResult {
  /** Path of the binary. */
  path: string;
  /** Name of the binary without folders. For a binary that was looked for, this is the name in the recording. */
  name: string;
  /** Build id in hexadecimal digits; undefined if the binary has none. */
  buildId: string | undefined;
  /**
   * The file with the profile (or counters) of the binary; undefined if there is none, or if all profiles were
   * merged.
   */
  output: string | undefined;
  /** The profile (or counters) of the binary if no output was named; undefined if all profiles were merged. */
  bytes: Uint8Array | undefined;
  /** Size of the binary's profile in bytes, before a merge; 0 if there is no profile. */
  size: number;
  /** The binary's part of the numbers. */
  statistics: BinaryStatistics;
  /** Warnings and notes about the binary, as a job with only this binary has them. */
  diagnostics: Diagnostic[];
  /** The reason why the binary has no profile, although others have one. */
  error: AutofdoError | undefined;
}

/** The result of a job. */
export interface GenerateResult {
  /** The file or folder that was written; undefined if the result is in `bytes`. */
  output: string | undefined;
  /**
   * The profile (or counters) if no output was named and there is exactly one: the profile of the only binary, or
   * the merged profile.
   */
  bytes: Uint8Array | undefined;
  /** Size of the profiles (or counters) in bytes. */
  size: number;
  /** Numbers of all binaries together. */
  statistics: Statistics;
  /** The result for each binary: first those in `binary`, in that order, then those that were found, by name. */
  binaries: BinaryResult[];
  /** Warnings and notes. Those that llvm-profgen prints, too, are in llvm-profgen's order. */
  diagnostics: Diagnostic[];
  /** Time of each phase, in order of execution. */
  timings: PhaseTiming[];
}

import type { BindingEntryClassName } from '../native/binding/index.cjs';
import type { DiagnosticCode } from './diagnostic-code.js';
import type { AutofdoError } from './errors.js';
import type { Phase } from './progress.js';

/**
 * What became of a branch entry. Every entry that is read ends in exactly one class:
 *
 * - `used`: counted as a branch, as an end of a straight-line range, or both
 * - `outsideBinary`: both ends lie in other mapped files
 * - `unmapped`: both ends lie where nothing is known to be mapped
 * - `otherBuild`: both ends lie in another build of the binary
 * - `notInstruction`: in the binary, but neither end is the start of an instruction
 * - `stub`: in linkage stubs (`.plt`) or other code of the binary that has no symbols, or in what a kernel puts before a
 *   function, on the way into it
 * - `wrongPath`: executed speculatively and never retired (AMD LBRv2)
 * - `unfilledSlot`: a slot of the CPU's ring that was still empty
 * - `notTaken`: a sampled branch that was not taken (Arm SPE); the code before it is counted with the branch that is
 *   taken next
 * - `deselected`: the sample was left out by event, process, thread, CPU or time
 * - `unsureStack`: the sample has no call stack, or was taken while a function was entered or left, when call stacks may lack
 *   a frame; only of recordings with call chains
 * - `crossesBarrier`: the straight run after the branch would pass a call, return or jump
 * - `noFunction`: the straight run starts in no function of the debug information
 */
export type EntryClass = BindingEntryClassName;

/** Branch entries by what became of them; the values sum to `Statistics.branchEntries`. */
export type Ledger = Readonly<Record<EntryClass, bigint>>;

/**
 * Numbers about a job. What was counted (samples, branches, executions) is a `bigint`, as it may have all 64 bits; a number of things
 * that are in files or in the profile is a `number`.
 */
export interface Statistics {
  /** Bytes of input read. */
  inputBytes: number;
  /** Samples read. */
  samples: bigint;
  /** Samples with a branch stack of at least one entry. */
  branchSamples: bigint;
  /**
   * The sampled addresses count, because no sample has a branch stack, or because that was asked for. `branchEntries` and `ledger` are
   * then of samples.
   */
  byAddresses: boolean;
  /**
   * Branch entries read, unfilled slots included. With `compat` and several binaries, the sum over the binaries, each of
   * which reads all.
   */
  branchEntries: bigint;
  /** What became of them. */
  ledger: Ledger;
  /** Records that the kernel could not deliver, as it reported them. */
  lostRecords: bigint;
  /** Mappings of the binary that were followed. */
  mappings: number;
  /** Processes these belong to. */
  processes: number;
  /** Distinct straight-line ranges. */
  ranges: number;
  /** Distinct branches. */
  branches: number;
  /** Top-level functions in the profile. */
  functions: number;
  /** Sum of all body counts. */
  totalCount: bigint;
  /** Largest body count. */
  maxCount: bigint;
  /** Samples for each instruction line of the hot part (llvm-profgen's `--show-density`). */
  density: number;
}

/**
 * Numbers about one binary. Those of a job are their sums; the largest count and the density are the largest and the
 * lowest of all, and with `mergeBinaries` those of the merged profile.
 */
export interface BinaryStatistics
  extends Pick<
    Statistics,
    'mappings' | 'processes' | 'ranges' | 'branches' | 'functions' | 'totalCount' | 'maxCount' | 'density'
  > {
  /** Branch entries with at least one end in the binary; one from a binary to another counts for both. */
  branchEntries: bigint;
  /** Of these, see `crossesBarrier` of {@link EntryClass}. */
  crossesBarrier: bigint;
  /** Of these, see `noFunction` of {@link EntryClass}. */
  noFunction: bigint;
}

/** A warning or note. Warnings never end a job. */
export interface Diagnostic {
  /** Stable identifier. */
  code: DiagnosticCode;
  /** `warning`: look at this; `note`: good to know. */
  severity: 'warning' | 'note';
  /** One paragraph. Where llvm-profgen warns of the same, this is its text. */
  message: string;
}

/** Wall-clock time of one phase. */
export interface PhaseTiming {
  phase: Phase;
  /** Milliseconds. */
  milliseconds: number;
}

/** What came of one binary. */
export interface BinaryResult {
  /** The file. */
  path: string;
  /** Its name without folders; of a binary that was looked for, the one in the recording. */
  name: string;
  /** Its build id in hexadecimal digits. */
  buildId: string | undefined;
  /** The file that its profile (or counters) was written to; undefined if there is none, or if all were merged. */
  output: string | undefined;
  /** Its profile (or counters) when no output was named, unless all were merged. */
  bytes: Uint8Array | undefined;
  /** Size of its profile in bytes, before it was merged; 0 if there is none. */
  size: number;
  /** Its part of the numbers. */
  statistics: BinaryStatistics;
  /** Warnings and notes about it, as a job without other binaries has them. */
  diagnostics: Diagnostic[];
  /** Why it has no profile, although others do. */
  error: AutofdoError | undefined;
}

/** What came of a job. */
export interface GenerateResult {
  /** The file or folder that was written, or undefined when the result is in `bytes`. */
  output: string | undefined;
  /** The profile (or counters) when no output was named and there is one: of the only binary, or of all merged. */
  bytes: Uint8Array | undefined;
  /** Size of what was made, in bytes. */
  size: number;
  /** What was read and what came of it, all binaries together. */
  statistics: Statistics;
  /** What came of each binary: in the order of `binary`, then those that were found, by name. */
  binaries: BinaryResult[];
  /** Warnings and notes, in the order llvm-profgen prints its own. */
  diagnostics: Diagnostic[];
  /** Time of each phase, in order of execution. */
  timings: PhaseTiming[];
}

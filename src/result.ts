import type { Phase } from './progress.js';

/**
 * What became of a branch entry. Every entry that is read ends in exactly one class:
 *
 * - `used`: counted as a branch, as an end of a straight-line range, or both
 * - `outsideBinary`: both ends lie in other mapped files
 * - `unmapped`: both ends lie where nothing is known to be mapped
 * - `otherBuild`: both ends lie in another build of the binary
 * - `notInstruction`: in the binary, but neither end is the start of an instruction
 * - `stub`: in linkage stubs (`.plt`) or other code of the binary that has no symbols
 * - `wrongPath`: executed speculatively and never retired (AMD LBRv2)
 * - `unfilledSlot`: a slot of the CPU's ring that was still empty
 * - `deselected`: the sample was left out by event, process, thread, CPU or time
 * - `crossesBarrier`: the straight run after the branch would pass a call, return or jump
 * - `noFunction`: the straight run starts in no function of the debug information
 */
export type EntryClass =
  | 'used'
  | 'outsideBinary'
  | 'unmapped'
  | 'otherBuild'
  | 'notInstruction'
  | 'stub'
  | 'wrongPath'
  | 'unfilledSlot'
  | 'deselected'
  | 'crossesBarrier'
  | 'noFunction';

/** Branch entries by what became of them; the values sum to `Statistics.branchEntries`. */
export type Ledger = Readonly<Record<EntryClass, number>>;

/**
 * Numbers about a job. Counts above 2^53 - 1 are clamped to it; the profile itself keeps all 64 bits.
 */
export interface Statistics {
  /** Bytes of input read. */
  inputBytes: number;
  /** Samples read. */
  samples: number;
  /** Samples with a branch stack of at least one entry. */
  branchSamples: number;
  /** Branch entries read, unfilled slots included. */
  branchEntries: number;
  /** What became of them. */
  ledger: Ledger;
  /** Records that the kernel could not deliver, as it reported them. */
  lostRecords: number;
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
  totalCount: number;
  /** Largest body count. */
  maxCount: number;
  /** Samples for each instruction line of the hot part (llvm-profgen's `--show-density`). */
  density: number;
}

/** A warning or note. Warnings never end a job. */
export interface Diagnostic {
  /** Stable identifier, kebab-case. */
  code: string;
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

/** What came of a job. */
export interface GenerateResult {
  /** The file that was written, or undefined when the result is in `bytes`. */
  output: string | undefined;
  /** The profile (or counters) when no output was named. */
  bytes: Uint8Array | undefined;
  /** Size of the result in bytes. */
  size: number;
  /** What was read and what came of it. */
  statistics: Statistics;
  /** Warnings and notes, in the order llvm-profgen prints its own. */
  diagnostics: Diagnostic[];
  /** Time of each phase, in order of execution. */
  timings: PhaseTiming[];
}

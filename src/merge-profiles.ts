import type { BindingMergeOptions } from '../native/binding/index.cjs';
import { runMerge } from './native.js';
import type { Progress } from './progress.js';
import type { Diagnostic } from './result.js';
import type { ProfileFormat } from './sample-profile/types.js';
import { checkFormat, checkJobs, checkRange, defined, invalid, MILLION, u64 } from './validation.js';

/** A profile whose counts are multiplied. */
export interface WeightedProfile {
  path: string;
  /** At least 1, which is the default. */
  weight?: number | bigint | undefined;
}

/** What to merge, and how. Names are those of the flags, which are llvm-profdata's. */
export interface MergeOptions {
  /** Profiles in any encoding; `-` is standard input. */
  inputs: readonly (string | WeightedProfile)[];

  /**
   * File to write; it is replaced as a whole once the merge is complete. Absent: `MergeResult.bytes`. It is never one of the files
   * that are read, whatever links lead there, nor any ELF file or recording: that is `INVALID_OPTIONS`.
   */
  output?: string | undefined;
  /**
   * The caller prints `MergeResult.bytes`: the job fails with `INVALID_OPTIONS` if standard output was redirected into a file that
   * it reads; default false.
   */
  toStdout?: boolean | undefined;
  /** Files that `inputs` were taken from, which `output` must not replace either. */
  lists?: readonly string[] | undefined;
  /** Encoding; default `extbinary`. */
  format?: ProfileFormat | undefined;
  /** Names as 64-bit MD5 prefixes (`extbinary` only); default false. */
  useMd5?: boolean | undefined;
  /** Compress every section (`extbinary` only); default false. */
  compressAllSections?: boolean | undefined;
  /** File with a name a line, to add to the profile symbol list (`extbinary` only). */
  profSymList?: string | undefined;
  /** Leave out profile symbol lists; default false. */
  dropProfileSymbolList?: boolean | undefined;
  /** Mark the result as partial: a function without samples is unknown, not cold (`extbinary` only); default false. */
  genPartialProfile?: boolean | undefined;
  /** Drop the coldest functions until the result has at most so many bytes. */
  outputSizeLimit?: number | undefined;

  /** Add up cold calling contexts that have the same last frames; default false. */
  sampleMergeColdContext?: boolean | undefined;
  /** Drop cold calling contexts; with `sampleMergeColdContext` those that are cold when added up; default false. */
  sampleTrimColdContext?: boolean | undefined;
  /** How many frames stay of contexts that are added up, the function itself included; default 1. */
  sampleFrameDepthForColdContext?: number | undefined;
  /**
   * How functions with calling contexts become functions without. `nest`: a context whose caller has counts is inlined
   * into it. `flat`: each function once; what is inlined in profiles without contexts becomes a function of its own.
   */
  convertSampleProfileLayout?: 'flat' | 'nest' | undefined;
  /** With the layout `nest`: functions that become inlined stay functions of their own, too; default false. */
  generateMergedBaseProfiles?: boolean | undefined;

  /** Only functions whose name this regular expression matches anywhere. */
  function?: string | undefined;
  /** No functions whose name this regular expression matches. */
  noFunction?: string | undefined;
  /** Drop top-level functions colder than the cold threshold; default false. */
  trimCold?: boolean | undefined;
  /** Cut-off in millionths whose count separates cold from warm, of functions and of contexts; default 999999. */
  profileSummaryCutoffCold?: number | undefined;
  /** The cold threshold as a count; overrides the cut-off. */
  profileSummaryColdCount?: number | bigint | undefined;

  /** Leave out inputs that cannot be read, with a warning, instead of failing; default false. */
  keepGoing?: boolean | undefined;
  /** Worker threads; default 0: one for each processor. */
  jobs?: number | undefined;

  /** Aborts the job: the promise is rejected with the signal's reason and no file is left behind. */
  signal?: AbortSignal | undefined;
  /** Called with the number of profiles done, about ten times a second. What it throws ends the job. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** An input that was left out because of `keepGoing`. */
export interface SkippedProfile {
  path: string;
  /** What is wrong with it, and where. */
  message: string;
}

/** What came of merging. Counts above 2^53 - 1 are clamped to it; the profile itself keeps all 64 bits. */
export interface MergeResult {
  /** The file that was written, or undefined when the result is in `bytes`. */
  output: string | undefined;
  /** The profile when no output was named. */
  bytes: Uint8Array | undefined;
  /** Size of the result in bytes. */
  size: number;
  /** Profiles that are in it. */
  inputs: number;
  /** Profiles that were left out. */
  skipped: SkippedProfile[];
  /** Functions that were dropped by name, for being cold or for the size limit. */
  dropped: number;
  /** Top-level functions in the result. */
  functions: number;
  /** Sum of all body counts. */
  totalCount: number;
  /** Largest body count. */
  maxCount: number;
  /** Warnings and notes: what was lost or left out. */
  diagnostics: Diagnostic[];
}

/**
 * Merges sample profiles, in parallel and in memory that does not grow with their number.
 *
 * The result says the same as that of `llvm-profdata merge --sample`. Nothing is written unless the whole job succeeds.
 *
 * @example
 * ```ts
 * await mergeProfiles({ inputs: ['a.afdo', { path: 'b.afdo', weight: 3 }], output: 'fleet.afdo' });
 * ```
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted.
 */
export async function mergeProfiles(options: MergeOptions): Promise<MergeResult> {
  const outcome = await runMerge(toBindingMergeOptions(options), options);
  return { ...outcome, output: options.output, bytes: outcome.bytes };
}

/** Options as the addon takes them. Throws `INVALID_OPTIONS`. */
export function toBindingMergeOptions(options: MergeOptions): BindingMergeOptions {
  const { inputs, lists, signal: _signal, onProgress: _onProgress, ...same } = options;
  if (inputs.length === 0) throw invalid('no input was given', 'name the profiles in `inputs`');
  checkFormat(options.format);
  checkRange('profileSummaryCutoffCold', options.profileSummaryCutoffCold, 0, MILLION, true);
  checkRange('sampleFrameDepthForColdContext', options.sampleFrameDepthForColdContext, 1, 2 ** 32 - 1, true);
  checkRange('outputSizeLimit', options.outputSizeLimit, 1, Number.MAX_SAFE_INTEGER, true);
  checkJobs(options.jobs);
  return defined({
    ...same,
    inputs: inputs.map(weighted),
    lists: lists && [...lists],
    profileSummaryColdCount: u64('profileSummaryColdCount', options.profileSummaryColdCount),
  });
}

function weighted(input: string | WeightedProfile): { path: string; weight: bigint } {
  const { path, weight = 1n } = typeof input === 'string' ? { path: input } : input;
  if (!path) throw invalid('an input has no path', 'give a path, or { path, weight }');
  const factor = u64('weight', weight);
  if (factor === 0n)
    throw invalid(`the weight of ${path} is 0`, 'a weight is at least 1; leave the profile out');
  return { path, weight: factor };
}

import type { BindingMergeOptions } from '../../native/binding/index.cjs';
import type { Progress } from '../progress.js';
import type { ProfileFormat } from '../sample-profile/types.js';
import { checkNames, checkOptions, checkStdin, defined, invalid, u64 } from './check.js';
import { COLD_COUNT, CUTOFF_COLD, FORMAT, JOBS, OUTPUT, USE_MD5 } from './common.js';
import { choice, flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';

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
  /**
   * Functions into which nothing is inlined get sections of their own, which ThinLTO need not read for every module (`extbinary`
   * only); default false.
   */
  splitLayout?: boolean | undefined;
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

/** The definition of each option of a merge. */
export const MERGE_OPTIONS = {
  inputs: NO_FLAG,
  toStdout: unflagged('boolean'),
  lists: unflagged('list'),
  keepGoing: flag(
    'Input',
    'boolean',
    'keep-going',
    'Leave out profiles that cannot be read, with a warning.',
  ),
  output: OUTPUT,
  format: FORMAT,
  useMd5: USE_MD5,
  compressAllSections: flag(
    'Output',
    'boolean',
    'compress-all-sections',
    'Compress every section (extbinary).',
  ),
  splitLayout: flag(
    'Output',
    'boolean',
    'split-layout',
    'Functions without inlined code get sections of their own (extbinary).',
  ),
  convertSampleProfileLayout: choice(
    'Output',
    ['flat', 'nest'],
    'convert-sample-profile-layout',
    'Take away calling contexts: nest inlines, flat adds up.',
  ),
  generateMergedBaseProfiles: flag(
    'Output',
    'boolean',
    'generate-merged-base-profiles',
    'Functions that nest inlines stay functions of their own, too.',
  ),
  dropProfileSymbolList: flag(
    'Output',
    'boolean',
    'drop-profile-symbol-list',
    'Leave out the profile symbol list.',
  ),
  profSymList: flag(
    'Output',
    'string',
    'prof-sym-list',
    'Names to add to the profile symbol list, one a line (extbinary).',
    { value: 'FILE' },
  ),
  genPartialProfile: flag(
    'Output',
    'boolean',
    'gen-partial-profile',
    'Functions without samples are unknown, not cold (extbinary).',
  ),
  outputSizeLimit: flag(
    'Output',
    'integer',
    'output-size-limit',
    'Drop the coldest functions until the result fits.',
    { value: 'BYTES', least: 1 },
  ),
  function: flag('Profile', 'string', 'function', 'Only functions whose name matches.', { value: 'REGEX' }),
  noFunction: flag('Profile', 'string', 'no-function', 'No functions whose name matches.', {
    value: 'REGEX',
  }),
  sampleMergeColdContext: flag(
    'Profile',
    'boolean',
    'sample-merge-cold-context',
    'Add up cold calling contexts.',
  ),
  sampleTrimColdContext: flag(
    'Profile',
    'boolean',
    'sample-trim-cold-context',
    'Drop cold calling contexts.',
  ),
  sampleFrameDepthForColdContext: flag(
    'Profile',
    'integer',
    'sample-frame-depth-for-cold-context',
    'Frames that a context keeps when it is added up with others.',
    { value: 'N', default: '1', least: 1, most: 2 ** 32 - 1 },
  ),
  trimCold: flag('Profile', 'boolean', 'trim-cold', 'Drop functions colder than the cold threshold.'),
  profileSummaryCutoffCold: CUTOFF_COLD,
  profileSummaryColdCount: COLD_COUNT,
  jobs: JOBS,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<MergeOptions>;

/** Options as the addon takes them. Throws `INVALID_OPTIONS`. */
export function toBindingMergeOptions(options: MergeOptions): BindingMergeOptions {
  checkOptions(options, MERGE_OPTIONS);
  const { inputs, lists, signal: _signal, onProgress: _onProgress, ...same } = options;
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw invalid('no input was given', 'name the profiles in `inputs`');
  const profiles = inputs.map(weighted);
  checkStdin(profiles.map(({ path }) => path));
  return defined({
    ...same,
    inputs: profiles,
    lists: lists && [...lists],
    profileSummaryColdCount: u64('profileSummaryColdCount', options.profileSummaryColdCount),
  });
}

function weighted(input: string | WeightedProfile): { path: string; weight: bigint } {
  const { path, weight = 1n, ...others } = typeof input === 'string' ? { path: input } : input;
  checkNames(others, ['path', 'weight']);
  if (typeof path !== 'string' || path === '')
    throw invalid('an input has no path', 'give a path, or { path, weight }');
  const factor = u64('weight', weight);
  if (factor === 0n)
    throw invalid(`the weight of ${path} is 0`, 'a weight is at least 1; leave the profile out');
  return { path, weight: factor };
}

/** What to convert, and into what. */
export interface ConvertOptions
  extends Pick<
    MergeOptions,
    | 'output'
    | 'toStdout'
    | 'format'
    | 'useMd5'
    | 'compressAllSections'
    | 'splitLayout'
    | 'dropProfileSymbolList'
    | 'convertSampleProfileLayout'
    | 'generateMergedBaseProfiles'
    | 'signal'
    | 'onProgress'
  > {
  /** A profile in any encoding; `-` is standard input. */
  input: string;
}

/** The definition of each option of a conversion; they mean what they mean in a merge. */
export const CONVERT_OPTIONS = {
  input: unflagged('string'),
  toStdout: unflagged('boolean'),
  output: MERGE_OPTIONS.output,
  format: MERGE_OPTIONS.format,
  useMd5: MERGE_OPTIONS.useMd5,
  compressAllSections: MERGE_OPTIONS.compressAllSections,
  splitLayout: MERGE_OPTIONS.splitLayout,
  convertSampleProfileLayout: MERGE_OPTIONS.convertSampleProfileLayout,
  generateMergedBaseProfiles: MERGE_OPTIONS.generateMergedBaseProfiles,
  dropProfileSymbolList: MERGE_OPTIONS.dropProfileSymbolList,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<ConvertOptions>;

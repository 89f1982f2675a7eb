import type { BindingMergeOptions } from '../../native/binding/index.cjs';
import type { Progress } from '../progress.js';
import type { ProfileFormat } from '../sample-profile/types.js';
import { checkLocal, checkNames, checkOptions, checkStdin, defined, invalid, u64 } from './check.js';
import { COLD_COUNT, CUTOFF_COLD, FORMAT, JOBS, OUTPUT, USE_MD5 } from './common.js';
import { choice, flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';

/** A profile with the factor by which its counts are multiplied. */
export interface WeightedProfile {
  path: string;
  /** Factor for all counts, at least 1; default 1. */
  weight?: number | bigint | undefined;
}

/**
 * The profiles to merge, and how they are merged. The names of the options are those of the flags, which are
 * llvm-profdata's.
 */
export interface MergeOptions {
  /** Profiles in any encoding; `-` is standard input. */
  inputs: readonly (string | WeightedProfile)[];

  /**
   * File to write. The file is replaced as a whole once the merge is complete. Absent: the profile is in
   * `MergeResult.bytes`. The job fails with `INVALID_OPTIONS` if this is a file that the job reads, by whatever
   * links, or any ELF file or recording.
   */
  output?: string | undefined;
  /**
   * True if the caller prints `MergeResult.bytes`. The job then fails with `INVALID_OPTIONS` if standard output
   * was redirected into a file that the job reads; default false.
   */
  toStdout?: boolean | undefined;
  /** Files from which the names in `inputs` were read. `output` must not replace these files either. */
  lists?: readonly string[] | undefined;
  /** Encoding; default `extbinary`. */
  format?: ProfileFormat | undefined;
  /** Write names as 64-bit MD5 prefixes (`extbinary` only); default false. */
  useMd5?: boolean | undefined;
  /** Compress every section (`extbinary` only); default false. */
  compressAllSections?: boolean | undefined;
  /**
   * Put functions without inlined code into sections of their own, which ThinLTO need not read for every module
   * (`extbinary` only); default false.
   */
  splitLayout?: boolean | undefined;
  /** File with one name on each line. The names are added to the profile symbol list (`extbinary` only). */
  profSymList?: string | undefined;
  /** Leave out profile symbol lists; default false. */
  dropProfileSymbolList?: boolean | undefined;
  /**
   * Mark the result as partial (`extbinary` only); default false. In a partial profile a function without samples
   * is unknown, not cold.
   */
  genPartialProfile?: boolean | undefined;
  /** Largest size of the result in bytes. The coldest functions are dropped until the result fits. */
  outputSizeLimit?: number | undefined;

  /** Add up cold calling contexts that have the same last frames; default false. */
  sampleMergeColdContext?: boolean | undefined;
  /**
   * Drop cold calling contexts; default false. With `sampleMergeColdContext`, contexts that are still cold after
   * they were added up are dropped.
   */
  sampleTrimColdContext?: boolean | undefined;
  /** Number of frames that remain of contexts that are added up, the function itself included; default 1. */
  sampleFrameDepthForColdContext?: number | undefined;
  /**
   * How functions with calling contexts become functions without contexts. `nest`: a context is inlined into its
   * caller if the caller has counts. `flat`: each function is in the result once; in profiles without contexts,
   * inlined functions become functions of their own.
   */
  convertSampleProfileLayout?: 'flat' | 'nest' | undefined;
  /** With the layout `nest`: keep functions that become inlined as functions of their own, too; default false. */
  generateMergedBaseProfiles?: boolean | undefined;

  /** Keep only functions whose name matches this regular expression anywhere. */
  function?: string | undefined;
  /** Drop functions whose name matches this regular expression anywhere. */
  noFunction?: string | undefined;
  /** Drop top-level functions colder than the cold threshold; default false. */
  trimCold?: boolean | undefined;
  /**
   * Cut-off in millionths. The count at the cut-off separates cold from warm functions and contexts;
   * default 999999.
   */
  profileSummaryCutoffCold?: number | undefined;
  /** The cold threshold as a count; overrides the cut-off. */
  profileSummaryColdCount?: number | bigint | undefined;

  /**
   * Leave out inputs that cannot be read, with a warning; default false: such an input ends the job with an error.
   */
  keepGoing?: boolean | undefined;
  /** Number of worker threads; default 0: one for each processor. */
  jobs?: number | undefined;

  /** Aborts the job: the promise is rejected with the signal's reason, and no file is left behind. */
  signal?: AbortSignal | undefined;
  /**
   * Called about ten times a second with the number of profiles that are done. An exception from this function
   * ends the job.
   */
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
    'Write functions without inlined code into sections of their own (extbinary).',
  ),
  convertSampleProfileLayout: choice(
    'Output',
    ['flat', 'nest'],
    'convert-sample-profile-layout',
    'Write calling contexts as inlined code (nest), or each function once, with all of its counts (flat).',
  ),
  generateMergedBaseProfiles: flag(
    'Output',
    'boolean',
    'generate-merged-base-profiles',
    'With nest: write functions that become inlined as functions of their own, too.',
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
    'File with names to add to the profile symbol list, one on each line (extbinary).',
    { value: 'FILE' },
  ),
  genPartialProfile: flag(
    'Output',
    'boolean',
    'gen-partial-profile',
    'Mark the profile as partial: functions without samples are unknown, not cold (extbinary).',
  ),
  outputSizeLimit: flag(
    'Output',
    'integer',
    'output-size-limit',
    'Drop the coldest functions until the result fits.',
    { value: 'BYTES', least: 1 },
  ),
  function: flag('Profile', 'string', 'function', 'Keep only functions whose names match.', {
    value: 'REGEX',
  }),
  noFunction: flag('Profile', 'string', 'no-function', 'Leave out functions whose names match.', {
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
    'Keep N frames of a context that is added up with others.',
    { value: 'N', default: '1', least: 1, most: 2 ** 32 - 1 },
  ),
  trimCold: flag('Profile', 'boolean', 'trim-cold', 'Drop functions colder than the cold threshold.'),
  profileSummaryCutoffCold: CUTOFF_COLD,
  profileSummaryColdCount: COLD_COUNT,
  jobs: JOBS,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<MergeOptions>;

/** Converts the options to the form that the addon takes. Throws `INVALID_OPTIONS`. */
export function toBindingMergeOptions(options: MergeOptions): BindingMergeOptions {
  checkOptions(options, MERGE_OPTIONS);
  const { inputs, lists, signal: _signal, onProgress: _onProgress, ...same } = options;
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw invalid('no input was given', 'name the profiles in `inputs`');
  const profiles = inputs.map(weighted);
  const paths = profiles.map(({ path }) => path);
  checkLocal([...paths, ...(lists ?? []), options.output]);
  checkStdin([...paths, ...(lists ?? [])]);
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

/** The profile to convert, and the form of the result. */
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

/** The definition of each option of a conversion. The options mean the same as for a merge. */
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

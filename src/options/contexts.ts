import { u64 } from './check.js';
import { MILLION } from './common.js';
import { flag, type OptionTable } from './flag.js';

/** Options for the calling contexts of samples that have call stacks. */
export interface ContextOptions {
  /**
   * Let the pre-inliner decide which contexts clang should inline; default true. It decides by the counts and the
   * size of the code. The counts of all other contexts are added up for each function. The option applies to
   * samples with call stacks.
   */
  csspgoPreinliner?: boolean | undefined;
  /**
   * The pre-inliner measures a function by the bytes of its code where the function is inlined; default true. If
   * false, the size of a function is its number of lines with counts.
   */
  useContextCostForPreinliner?: boolean | undefined;
  /** The pre-inliner chooses exactly the calls that were inlined in the profiled program; default false. */
  csspgoReplayPreinline?: boolean | undefined;
  /** Among functions that call each other, the pre-inliner begins with those that call most; default true. */
  sortProfiledSccMember?: boolean | undefined;
  /** Factor by which a hot callee may be larger if it was inlined in the profiled program; default 100. */
  csspgoPreinlinerMultiplierForPreviousInlining?: number | undefined;
  /** A hundredth of the largest size that the callee of the hottest calls may have; default 1500. */
  sampleProfileHotInlineThreshold?: number | undefined;
  /** Largest size that the callee of a cold call may have; default 0. */
  sampleProfileColdInlineThreshold?: number | undefined;
  /** Factor by which a function may grow by inlining; default 12. */
  sampleProfileInlineGrowthLimit?: number | undefined;
  /** Size that every function may reach by inlining, whatever its own size; default 100. */
  sampleProfileInlineLimitMin?: number | undefined;
  /** Largest size that a function may reach by inlining; default 50000. */
  sampleProfileInlineLimitMax?: number | undefined;
  /**
   * Infer the frames that are missing in call stacks because of tail calls; default true. A frame is inferred only
   * where exactly one path of tail calls leads from the caller to the callee. The option applies to contexts from
   * pseudo probes.
   */
  inferMissingFrames?: boolean | undefined;
  /** Largest number of tail calls in a row that the inference of missing frames follows; default 4294967294. */
  maxSearchDepth?: number | undefined;
  /** Inline contexts into their callers, so that the profile has no contexts left; default true. */
  genCsNestedProfile?: boolean | undefined;
  /** Make functions of their own, too, from contexts that are inlined into their callers; default false. */
  generateMergedBaseProfiles?: boolean | undefined;
  /** Mark all functions of the profile for clang to inline; default false. */
  markAllContextPreinlined?: boolean | undefined;
  /** Longest sequence of recursive calls whose repetitions are removed from contexts; default -1: any length. */
  compressRecursion?: number | undefined;
  /** Number of calls that a context keeps; default -1: all. */
  csprofMaxContextDepth?: number | undefined;
  /**
   * Number of calls that a context from pseudo probes keeps before the functions of its calls are looked up;
   * default -1: all.
   */
  csprofMaxUnsymbolizedContextDepth?: number | undefined;
  /** Add up contexts that are not hot; default: true unless the pre-inliner has chosen the contexts. */
  csprofMergeColdContext?: boolean | undefined;
  /** Number of frames that remain of contexts that are added up, the function itself included; default 1. */
  csprofMaxColdContextDepth?: number | undefined;
  /**
   * Cut-off in millionths. The count at the cut-off separates hot contexts from contexts that are added up;
   * default 990000.
   */
  profileSummaryCutoffHot?: number | undefined;
  /** The hot threshold as a count; overrides the cut-off. */
  profileSummaryHotCount?: number | bigint | undefined;
}

/** The definition of each option about contexts. */
export const CONTEXT_OPTIONS = {
  csspgoPreinliner: flag(
    'Contexts',
    'boolean',
    'csspgo-preinliner',
    'Choose the contexts that clang should inline, and add up the others.',
    { default: 'on' },
  ),
  useContextCostForPreinliner: flag(
    'Contexts',
    'boolean',
    'use-context-cost-for-preinliner',
    'Pre-inliner: judge the size of a function by its code in each context.',
    { default: 'on' },
  ),
  csspgoReplayPreinline: flag(
    'Contexts',
    'boolean',
    'csspgo-replay-preinline',
    'Pre-inliner: inline what is inlined in the profiled program, and nothing else.',
  ),
  sortProfiledSccMember: flag(
    'Contexts',
    'boolean',
    'sort-profiled-scc-member',
    'Pre-inliner: if functions call each other in a cycle, begin with those that call most often.',
    { default: 'on' },
  ),
  csspgoPreinlinerMultiplierForPreviousInlining: flag(
    'Contexts',
    'integer',
    'csspgo-preinliner-multiplier-for-previous-inlining',
    'Pre-inliner: a callee that is inlined in the profiled program may be N times as large.',
    { value: 'N', default: '100', least: -(2 ** 31), most: 2 ** 31 - 1 },
  ),
  sampleProfileHotInlineThreshold: flag(
    'Contexts',
    'integer',
    'sample-profile-hot-inline-threshold',
    'Pre-inliner: the hottest callees may have 100 times this size.',
    { value: 'N', default: '1500', least: -(2 ** 31), most: 2 ** 31 - 1 },
  ),
  sampleProfileColdInlineThreshold: flag(
    'Contexts',
    'integer',
    'sample-profile-cold-inline-threshold',
    'Pre-inliner: cold callees may have this size.',
    { value: 'N', default: '0', least: -(2 ** 31), most: 2 ** 31 - 1 },
  ),
  sampleProfileInlineGrowthLimit: flag(
    'Contexts',
    'integer',
    'sample-profile-inline-growth-limit',
    'Pre-inliner: a function may grow to N times its size.',
    { value: 'N', default: '12', least: -(2 ** 31), most: 2 ** 31 - 1 },
  ),
  sampleProfileInlineLimitMin: flag(
    'Contexts',
    'integer',
    'sample-profile-inline-limit-min',
    'Pre-inliner: every function may grow to this size.',
    { value: 'N', default: '100', least: -(2 ** 31), most: 2 ** 31 - 1 },
  ),
  sampleProfileInlineLimitMax: flag(
    'Contexts',
    'integer',
    'sample-profile-inline-limit-max',
    'Pre-inliner: no function may grow beyond this size.',
    { value: 'N', default: '50000', least: -(2 ** 31), most: 2 ** 31 - 1 },
  ),
  inferMissingFrames: flag(
    'Contexts',
    'boolean',
    'infer-missing-frames',
    'By probes: infer the callers that tail calls leave out.',
    { default: 'on' },
  ),
  maxSearchDepth: flag(
    'Contexts',
    'integer',
    'max-search-depth',
    'By probes: infer at most N tail calls in a row.',
    { value: 'N', default: '4294967294', most: 2 ** 32 - 1 },
  ),
  markAllContextPreinlined: flag(
    'Contexts',
    'boolean',
    'mark-all-context-preinlined',
    'Mark all functions for clang to inline.',
  ),
  generateMergedBaseProfiles: flag(
    'Contexts',
    'boolean',
    'generate-merged-base-profiles',
    'Write functions that are inlined into their callers as functions of their own, too.',
  ),
  csprofMaxUnsymbolizedContextDepth: flag(
    'Contexts',
    'integer',
    'csprof-max-unsymbolized-context-depth',
    'By probes: keep at most N calls of a context, inlined calls not counted; -1: all.',
    { value: 'N', default: '-1', least: -1, most: 2 ** 31 - 1 },
  ),
  genCsNestedProfile: flag(
    'Contexts',
    'boolean',
    'gen-cs-nested-profile',
    'Inline contexts into their callers.',
    { default: 'on' },
  ),
  compressRecursion: flag(
    'Contexts',
    'integer',
    'compress-recursion',
    'Leave repeated cycles of at most N functions out of contexts; -1: cycles of any length.',
    { value: 'N', default: '-1', least: -1, most: 2 ** 31 - 1 },
  ),
  csprofMaxContextDepth: flag(
    'Contexts',
    'integer',
    'csprof-max-context-depth',
    'Keep at most N calls of a context; -1: all.',
    { value: 'N', default: '-1', least: -1, most: 2 ** 31 - 1 },
  ),
  csprofMergeColdContext: flag(
    'Contexts',
    'boolean',
    'csprof-merge-cold-context',
    'Add up contexts that are not hot (default: on if the pre-inliner is off).',
  ),
  csprofMaxColdContextDepth: flag(
    'Contexts',
    'integer',
    'csprof-max-cold-context-depth',
    'Keep N frames of a context that is added up with others.',
    { value: 'N', default: '1', least: 1, most: 2 ** 32 - 1 },
  ),
  profileSummaryCutoffHot: flag(
    'Contexts',
    'integer',
    'profile-summary-cutoff-hot',
    'Hot cut-off of contexts in millionths.',
    { value: 'N', default: '990000', most: MILLION },
  ),
  profileSummaryHotCount: flag(
    'Contexts',
    'u64',
    'profile-summary-hot-count',
    'Hot threshold of contexts as a count.',
    { value: 'N' },
  ),
} satisfies OptionTable<ContextOptions>;

/** Converts the options about contexts to the form that the addon takes. Throws `INVALID_OPTIONS`. */
export function toBindingContexts(options: ContextOptions) {
  return {
    compressRecursion: unlessUnlimited(options.compressRecursion),
    csprofMaxContextDepth: unlessUnlimited(options.csprofMaxContextDepth),
    csprofMaxUnsymbolizedContextDepth: unlessUnlimited(options.csprofMaxUnsymbolizedContextDepth),
    profileSummaryHotCount: u64('profileSummaryHotCount', options.profileSummaryHotCount),
  };
}

/** Returns `undefined` for a negative limit: LLVM's tools write -1 for no limit. */
function unlessUnlimited(limit: number | undefined): number | undefined {
  return limit === -1 ? undefined : limit;
}

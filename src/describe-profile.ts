import type { BindingShowOptions } from '../native/binding/index.cjs';
import { runShow } from './native.js';
import type { ProfileFormat } from './sample-profile/types.js';
import { checkRange, defined } from './validation.js';

/** What to tell of a profile. */
export interface DescribeOptions {
  /** The profile, in any encoding; `-` is standard input. */
  path: string;
  /** How many functions to list, hottest first; default 100. */
  top?: number | undefined;
  /** `text` has the section table, as `llvm-profdata show --show-sec-info-only`. */
  sections?: boolean | undefined;
  /** `text` has the summary, as `llvm-profdata show --detailed-summary`. */
  detailedSummary?: boolean | undefined;
  /** `text` has the hot functions, as `llvm-profdata show --hot-func-list`. */
  hotFunctions?: boolean | undefined;
  /** Rejects the promise with the signal's reason if the profile is not being read yet. */
  signal?: AbortSignal | undefined;
}

/** What a profile holds. Counts above 2^53 - 1 are clamped to it; `readProfile` has all 64 bits. */
export interface ProfileDescription {
  format: ProfileFormat;
  /** Size in bytes. */
  size: number;
  /** Discriminators are flow-sensitive. */
  flowSensitive: boolean;
  /** Locations are pseudo probes. */
  probeBased: boolean;
  /** llvm-profgen's pre-inliner has chosen what to inline. */
  preInlined: boolean;
  /** How many functions in contexts there are, if functions are told apart by their calling contexts. */
  contexts?: number | undefined;
  /** Functions without samples are unknown, not cold. */
  partial: boolean;
  /** Names are MD5 hashes, written as decimal numbers. */
  md5: boolean;
  /** Names on the profile symbol list, if there is one. */
  symbols?: number;
  /** How counts are distributed, computed from the functions. */
  summary: {
    totalCount: number;
    maxCount: number;
    maxFunctionCount: number;
    /** Number of body counts. */
    counts: number;
    /** Number of functions. */
    functions: number;
    /** The `counts` largest counts, none below `minCount`, make up `cutoff` millionths. */
    entries: { cutoff: number; minCount: number; counts: number }[];
  };
  /** Samples for each line of the hot part (llvm-profgen's `--show-density`). */
  density: number;
  /** Sum of the functions' totals. */
  totalSamples: number;
  /** The smallest hot count. */
  hotThreshold: number;
  /** Number of functions with a hot count. */
  hotFunctions: number;
  /** The hottest functions. */
  functions: { name: string; total: number; head: number }[];
  /** The parts of an extbinary profile. */
  sections: { name: string; offset: number; size: number; flags: string }[];
  /** What was asked for in llvm-profdata's words. */
  text: string;
}

/**
 * Tells what a profile holds.
 *
 * @throws AutofdoError with a stable `code`.
 */
export async function describeProfile(options: DescribeOptions): Promise<ProfileDescription> {
  const { signal, ...same } = options;
  checkRange('top', options.top, 0, 2 ** 32 - 1, true);
  const binding: BindingShowOptions = defined({ ...same, top: options.top ?? 100 });
  return runShow(binding, { signal });
}

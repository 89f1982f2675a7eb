import type { BindingShowOptions } from '../native/binding/index.cjs';
import { runShow } from './native.js';
import { checkLocal, checkOptions, defined, invalid } from './options/check.js';
import { DESCRIBE_OPTIONS, type DescribeOptions } from './options/describe.js';
import type { Diagnostic } from './result.js';
import type { ProfileFormat } from './sample-profile/types.js';

/** The contents of a profile. Counts are `bigint`, numbers of things are `number`. */
export interface ProfileDescription {
  format: ProfileFormat;
  /** Size of the profile in bytes. */
  size: number;
  /** True if the discriminators are flow-sensitive. */
  flowSensitive: boolean;
  /** True if locations are pseudo probes. */
  probeBased: boolean;
  /** True if llvm-profgen's pre-inliner has chosen what to inline. */
  preInlined: boolean;
  /**
   * Number of functions with a calling context; absent if the profile does not tell functions apart by calling
   * contexts.
   */
  contexts?: number | undefined;
  /** True if the profile is partial: functions without samples are unknown, not cold. */
  partial: boolean;
  /** True if names are MD5 hashes. The hashes are written as decimal numbers. */
  md5: boolean;
  /** Number of names on the profile symbol list; absent if there is no list. */
  symbols?: number;
  /** Distribution of the counts, computed from the functions. */
  summary: {
    /** Sum of all body counts, which may exceed 64 bits. The number in the file is the sum modulo 2^64. */
    totalCount: bigint;
    maxCount: bigint;
    maxFunctionCount: bigint;
    /** Number of body counts. */
    counts: number;
    /** Number of functions. */
    functions: number;
    /**
     * Rows of the summary. The `counts` largest counts, each at least `minCount`, make up `cutoff` millionths of
     * the sum.
     */
    entries: { cutoff: number; minCount: bigint; counts: number }[];
  };
  /** Number of samples for each line of the hot part (llvm-profgen's `--show-density`). */
  density: number;
  /** Sum of the functions' totals, which may exceed 64 bits. */
  totalSamples: bigint;
  /** The smallest hot count. */
  hotThreshold: bigint;
  /** Number of functions with a hot count. */
  hotFunctions: number;
  /** The hottest functions. */
  functions: { name: string; total: bigint; head: bigint }[];
  /** The sections of an extbinary profile. */
  sections: { name: string; offset: number; size: number; flags: string }[];
  /** The text that was asked for, in llvm-profdata's words. */
  text: string;
  /** Reasons why counts differ from the true counts, and facts that cannot be told. */
  diagnostics: Diagnostic[];
}

/**
 * Describes the contents of a profile.
 *
 * @throws AutofdoError with a stable `code`.
 */
export async function describeProfile(options: DescribeOptions): Promise<ProfileDescription> {
  checkOptions(options, DESCRIBE_OPTIONS);
  const { signal, ...same } = options;
  if (typeof same.path !== 'string' || same.path === '') throw invalid('no profile was given', 'set `path`');
  checkLocal([same.path]);
  const binding: BindingShowOptions = defined({ ...same, top: options.top ?? 100 });
  return runShow(binding, { signal });
}

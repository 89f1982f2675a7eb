import type { BindingShowOptions } from '../native/binding/index.cjs';
import { runShow } from './native.js';
import { checkOptions, defined, invalid } from './options/check.js';
import { DESCRIBE_OPTIONS, type DescribeOptions } from './options/describe.js';
import type { Diagnostic } from './result.js';
import type { ProfileFormat } from './sample-profile/types.js';

/** What a profile holds. Counts are `bigint`, numbers of things are `number`. */
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
    /** May exceed 64 bits; what the file says is modulo 2^64 then. */
    totalCount: bigint;
    maxCount: bigint;
    maxFunctionCount: bigint;
    /** Number of body counts. */
    counts: number;
    /** Number of functions. */
    functions: number;
    /** The `counts` largest counts, none below `minCount`, make up `cutoff` millionths. */
    entries: { cutoff: number; minCount: bigint; counts: number }[];
  };
  /** Samples for each line of the hot part (llvm-profgen's `--show-density`). */
  density: number;
  /** Sum of the functions' totals, which may exceed 64 bits. */
  totalSamples: bigint;
  /** The smallest hot count. */
  hotThreshold: bigint;
  /** Number of functions with a hot count. */
  hotFunctions: number;
  /** The hottest functions. */
  functions: { name: string; total: bigint; head: bigint }[];
  /** The parts of an extbinary profile. */
  sections: { name: string; offset: number; size: number; flags: string }[];
  /** What was asked for in llvm-profdata's words. */
  text: string;
  /** Why counts are not the true ones, and what cannot be told. */
  diagnostics: Diagnostic[];
}

/**
 * Tells what a profile holds.
 *
 * @throws AutofdoError with a stable `code`.
 */
export async function describeProfile(options: DescribeOptions): Promise<ProfileDescription> {
  checkOptions(options, DESCRIBE_OPTIONS);
  const { signal, ...same } = options;
  if (typeof same.path !== 'string' || same.path === '') throw invalid('no profile was given', 'set `path`');
  const binding: BindingShowOptions = defined({ ...same, top: options.top ?? 100 });
  return runShow(binding, { signal });
}

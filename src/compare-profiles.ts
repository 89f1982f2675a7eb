import type { BindingCompareOptions } from '../native/binding/index.cjs';
import { runCompare } from './native.js';
import { checkLocal, checkOptions, checkStdin, defined, invalid, u64 } from './options/check.js';
import { COMPARE_OPTIONS, type CompareOptions } from './options/compare.js';
import type { Diagnostic } from './result.js';

/** Number of things that are in both profiles, or in only one of them. */
export interface Overlap {
  /** Share of things that are in both profiles, from 0 to 1. */
  overlap: number;
  common: number;
  baseOnly: number;
  testOnly: number;
}

/** Comparison of two profiles by their sums of body counts. */
export interface SampleOverlap {
  /** Sum of the smaller count of each place, divided by the sum of the larger count of each place; from 0 to 1. */
  overlap: number;
  base: bigint;
  test: bigint;
  /** Share of the base profile's counts at places that only the base profile has. */
  baseUniqueShare: number;
  testUniqueShare: number;
}

/** A function that differs between the profiles. */
export interface FunctionChange {
  name: string;
  /** Similarity of the function in both profiles: from 0 (nothing in common) to 1. */
  similarity: number;
  /** The function's share of all base samples. */
  baseWeight: number;
  /** The function's share of all test samples. */
  testWeight: number;
  baseSamples: bigint;
  testSamples: bigint;
  /** Amount by which the function lowers the similarity of the profiles. */
  lostSimilarity: number;
}

/** A call whose targets have other shares of the calls than before. */
export interface TargetShift {
  /** Place of the call, callers first: `main:3 @ inlined:4.1`. */
  place: string;
  /** Share of the calls that go to other targets than before, from 0 to 1. */
  shift: number;
  baseCalls: bigint;
  testCalls: bigint;
  /** The targets of the call with their shares in both profiles; the largest change first. */
  targets: { name: string; base: number; test: number }[];
}

/** The differences between two profiles. Counts are `bigint`, numbers of things are `number`. */
export interface CompareResult {
  /** The "whole program profile similarity" of `llvm-profdata overlap`, from 0 to 1. */
  similarity: number;
  samples: SampleOverlap;
  functions: Overlap;
  /** Comparison of the functions with a hot count. */
  hotFunctions: Overlap;
  /** Comparison of the places with a hot count. */
  hotBlocks: Overlap;
  /** Functions that only the test profile has. In all lists, the largest difference comes first. */
  gained: FunctionChange[];
  /** Functions that only the base profile has. */
  lost: FunctionChange[];
  /** Functions that are in both profiles and differ. */
  changed: FunctionChange[];
  /** Calls that go to other targets than before. */
  targetShifts: TargetShift[];
  /** What `llvm-profdata overlap --sample` prints. */
  text: string;
  /** Reasons why the numbers may mislead. */
  diagnostics: Diagnostic[];
}

/**
 * Compares a profile with an older one.
 *
 * @throws AutofdoError with a stable `code`: `EMPTY_PROFILE` if one of the profiles has no samples.
 */
export async function compareProfiles(options: CompareOptions): Promise<CompareResult> {
  return compareWith(options, undefined);
}

/** Compares as {@link compareProfiles} does. `testBytes` is the newer profile; `options.test` only names it. */
export async function compareWith(
  options: CompareOptions,
  testBytes: Uint8Array | undefined,
): Promise<CompareResult> {
  checkOptions(options, COMPARE_OPTIONS);
  const { signal, ...same } = options;
  if (!options.base || !options.test) throw invalid('two profiles are needed', 'set `base` and `test`');
  checkLocal([options.base, options.test]);
  checkStdin([options.base, options.test]);
  const binding: BindingCompareOptions = defined({
    ...same,
    testBytes: testBytes && Buffer.from(testBytes),
    top: options.top ?? 100,
    valueCutoff: u64('valueCutoff', options.valueCutoff),
  });
  return runCompare(binding, { signal });
}

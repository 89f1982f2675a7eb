import type { BindingCompareOptions } from '../native/binding/index.cjs';
import { runCompare } from './native.js';
import { checkOptions, checkStdin, defined, invalid, u64 } from './options/check.js';
import { COMPARE_OPTIONS, type CompareOptions } from './options/compare.js';
import type { Diagnostic } from './result.js';

/** Counts of things that are in both profiles or in one. */
export interface Overlap {
  /** The part that is in both, from 0 to 1. */
  overlap: number;
  common: number;
  baseOnly: number;
  testOnly: number;
}

/** Sums of body counts. */
export interface SampleOverlap {
  /** The smaller counts of all places as a part of the larger ones, from 0 to 1. */
  overlap: number;
  base: bigint;
  test: bigint;
  /** The part of the base profile at places that only it has. */
  baseUniqueShare: number;
  testUniqueShare: number;
}

/** A function that the profiles do not agree on. */
export interface FunctionChange {
  name: string;
  /** From 0, nothing in common, to 1. */
  similarity: number;
  /** Its share of all base samples. */
  baseWeight: number;
  /** Its share of all test samples. */
  testWeight: number;
  baseSamples: bigint;
  testSamples: bigint;
  /** What it takes from the similarity of the profiles. */
  lostSimilarity: number;
}

/** A call whose targets have other shares than before. */
export interface TargetShift {
  /** Where it is, callers first: `main:3 @ inlined:4.1`. */
  place: string;
  /** The part of the calls that goes elsewhere, from 0 to 1. */
  shift: number;
  baseCalls: bigint;
  testCalls: bigint;
  /** Its targets with their shares in both profiles, by change. */
  targets: { name: string; base: number; test: number }[];
}

/** How two profiles differ. Counts are `bigint`, numbers of things are `number`. */
export interface CompareResult {
  /** `llvm-profdata overlap`'s "whole program profile similarity", from 0 to 1. */
  similarity: number;
  samples: SampleOverlap;
  functions: Overlap;
  /** Functions with a hot count. */
  hotFunctions: Overlap;
  /** Places with a hot count. */
  hotBlocks: Overlap;
  /** Functions that only the test profile has; in all lists, what differs most comes first. */
  gained: FunctionChange[];
  /** Functions that only the base profile has. */
  lost: FunctionChange[];
  /** Functions of both that differ. */
  changed: FunctionChange[];
  /** Calls that go elsewhere. */
  targetShifts: TargetShift[];
  /** What `llvm-profdata overlap --sample` prints. */
  text: string;
  /** Why the numbers may mislead. */
  diagnostics: Diagnostic[];
}

/**
 * Compares a profile with an older one.
 *
 * @throws AutofdoError with a stable `code`: `EMPTY_PROFILE` when one has no samples.
 */
export async function compareProfiles(options: CompareOptions): Promise<CompareResult> {
  return compareWith(options, undefined);
}

/** The same, where `testBytes` is the newer profile, which `options.test` only names. */
export async function compareWith(
  options: CompareOptions,
  testBytes: Uint8Array | undefined,
): Promise<CompareResult> {
  checkOptions(options, COMPARE_OPTIONS);
  const { signal, ...same } = options;
  if (!options.base || !options.test) throw invalid('two profiles are needed', 'set `base` and `test`');
  checkStdin([options.base, options.test]);
  const binding: BindingCompareOptions = defined({
    ...same,
    testBytes: testBytes && Buffer.from(testBytes),
    top: options.top ?? 100,
    valueCutoff: u64('valueCutoff', options.valueCutoff),
  });
  return runCompare(binding, { signal });
}

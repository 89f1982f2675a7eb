import { MILLION, TOP } from './common.js';
import { flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';

/** The two profiles to compare, and what to report about the differences. */
export interface CompareOptions {
  /** The older profile, in any encoding; `-` is standard input. */
  base: string;
  /** The newer profile, in any encoding; `-` is standard input. */
  test: string;
  /** Largest number of entries in each list of the result; default 100. */
  top?: number | undefined;
  /** If given, `text` has a line for every function of the test profile with a count of at least this value. */
  valueCutoff?: number | bigint | undefined;
  /** If given, `text` has a line for every common function whose similarity is below this value, in millionths. */
  similarityCutoff?: number | undefined;
  /** Rejects the promise with the signal's reason if the comparison has not started yet. */
  signal?: AbortSignal | undefined;
}

/** The definition of each option of a comparison. */
export const COMPARE_OPTIONS = {
  base: unflagged('string'),
  test: unflagged('string'),
  top: TOP,
  valueCutoff: flag(
    'Output',
    'u64',
    'value-cutoff',
    'Print a line for each function of the second profile whose largest count exceeds COUNT.',
    { value: 'COUNT' },
  ),
  similarityCutoff: flag(
    'Output',
    'integer',
    'similarity-cutoff',
    'Print a line for each function that is less similar than N millionths.',
    { value: 'N', most: MILLION },
  ),
  signal: NO_FLAG,
} satisfies OptionTable<CompareOptions>;

import { TOP } from './common.js';
import { flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';

/** The profile to describe, and the parts of the description. */
export interface DescribeOptions {
  /** The profile, in any encoding; `-` is standard input. */
  path: string;
  /** Number of functions to list, the hottest first; default 100. */
  top?: number | undefined;
  /** `text` is the section table alone, as `llvm-profdata show --show-sec-info-only` prints it. */
  sections?: boolean | undefined;
  /** `text` has the summary, as `llvm-profdata show --detailed-summary` prints it. */
  detailedSummary?: boolean | undefined;
  /** `text` has the hot functions, as `llvm-profdata show --hot-func-list` prints them. */
  hotFunctions?: boolean | undefined;
  /** Largest number of hot functions in `text`; default: all. */
  topHot?: number | undefined;
  /** Rejects the promise with the signal's reason if reading of the profile has not begun. */
  signal?: AbortSignal | undefined;
}

/** The definition of each option of a description. */
export const DESCRIBE_OPTIONS = {
  path: unflagged('string'),
  top: TOP,
  sections: flag('Output', 'boolean', 'show-sec-info-only', 'Print the sections of an extbinary profile.'),
  detailedSummary: flag('Output', 'boolean', 'detailed-summary', 'Print how counts are distributed.'),
  topHot: unflagged('integer', TOP),
  hotFunctions: flag('Output', 'boolean', 'hot-func-list', 'Print the functions with a hot count.'),
  signal: NO_FLAG,
} satisfies OptionTable<DescribeOptions>;

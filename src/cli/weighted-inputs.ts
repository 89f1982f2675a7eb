import { readFileSync } from 'node:fs';
import { AutofdoError } from '../errors.js';
import { failureReason } from '../failure-reason.js';
import type { WeightedProfile } from '../options/merge.js';
import { expandProfiles } from './input-files.js';
import { UsageError } from './parse-args.js';

/** Returns the profiles that `WEIGHT,FILE` names. The file may be a glob or a folder. */
export function weightedInputs(text: string, keepsMissing: boolean): WeightedProfile[] {
  const match = /^(\d+),(.+)$/s.exec(text);
  if (match === null) {
    throw new UsageError(`--weighted-input is '${text}'`, 'expected WEIGHT,FILE, for example 3,a.afdo');
  }
  const [, digits = '', path = ''] = match;
  const weight = BigInt(digits);
  if (weight === 0n || weight > 0xffff_ffff_ffff_ffffn) {
    throw new UsageError(
      `--weighted-input has the weight ${digits}`,
      'a weight is at least 1 and below 2^64',
    );
  }
  return expandProfiles([path], keepsMissing).map((file) => ({ path: file, weight }));
}

/**
 * Returns the profiles that a list names. Each line is `[WEIGHT,]FILE`; empty lines and lines that start with #
 * are skipped.
 */
export function listedInputs(list: string, keepsMissing: boolean): WeightedProfile[] {
  let text: string;
  try {
    text = readFileSync(list === '-' ? 0 : list, 'utf8');
  } catch (cause) {
    throw new AutofdoError('INPUT_UNREADABLE', `${list} cannot be read: ${failureReason(cause)}`, {
      path: list,
      cause,
    });
  }
  const lines = text.split('\n').map((line) => line.trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .flatMap((line) =>
      /^\d+,/.test(line)
        ? weightedInputs(line, keepsMissing)
        : expandProfiles([line], keepsMissing).map((path) => ({ path })),
    );
}

import type { FunctionSamples } from '../sample-profile/types.js';
import type { LineCount, ProfileReport } from './types.js';

/** A line of a function with its count. */
export interface HotLine extends LineCount {
  /** Name in the profile of the function to which the line belongs. */
  name: string;
  /** Name of the function whose code holds the line: the same function, or the one into which it is inlined. */
  inside: string;
}

/**
 * Returns the `top` lines with the largest counts, the largest first. Equal counts stay in the order of the
 * functions.
 */
export function hottestLines({ functions }: Pick<ProfileReport, 'functions'>, top: number): HotLine[] {
  let found: HotLine[] = [];
  const walk = ({ name, body, inlined }: FunctionSamples, inside: string) => {
    for (const { line, discriminator, count } of body) {
      if (count > 0n) found.push({ name, inside, line, discriminator, count });
    }
    for (const { samples } of inlined) walk(samples, inside);
  };
  for (const { name, samples } of functions) {
    if (samples === undefined) continue;
    walk(samples, name);
    // A profile has millions of lines, and only a few are wanted, so the list is shortened from time to time.
    if (found.length > 2 * top + 10_000) found = largest(found, top);
  }
  return largest(found, top);
}

function largest(lines: HotLine[], top: number): HotLine[] {
  return lines.sort((a, b) => (a.count > b.count ? -1 : a.count < b.count ? 1 : 0)).slice(0, top);
}

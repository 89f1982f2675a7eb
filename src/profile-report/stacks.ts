import type { FunctionSamples, LineLocation } from '../sample-profile/types.js';
import { lineDistance, sourceLine } from './source-line.js';
import type { ProfileReport } from './types.js';

/** A function on a stack, and the line in it. */
export interface StackFrame {
  /** As the profile has it. */
  name: string;
  /**
   * Line of the file where the function is declared: with pseudo probes, which have no lines, that of the declaration. Where the file is
   * not known, lines from the declaration on, or the number of the probe. 0 for a line before the first one.
   */
  line: number;
}

/** A count of a profile with the functions around it. */
export interface CountedStack {
  /** The innermost frame first. All but the last one, and the callers behind it, are inlined. */
  frames: StackFrame[];
  /** How many of the frames, from the innermost on, are one piece of code. */
  inlined: number;
  count: bigint;
}

/** Each line of a profile that has a count, as a stack: what it is inlined into, then the callers in its context. */
export function* countedStacks({ functions, places, locations }: ProfileReport): Generator<CountedStack> {
  const frame = (name: string, location: LineLocation): StackFrame => {
    const place = places.get(name);
    if (locations === 'probes') return { name, line: place?.line ?? location.line };
    const line = place === undefined ? lineDistance(location) : sourceLine(place, location);
    return { name, line: Math.max(0, line) };
  };
  function* walk(samples: FunctionSamples, outer: StackFrame[], depth: number): Generator<CountedStack> {
    for (const line of samples.body) {
      if (line.count === 0n) continue;
      yield { frames: [frame(samples.name, line), ...outer], inlined: depth, count: line.count };
    }
    for (const { samples: inner, ...call } of samples.inlined) {
      yield* walk(inner, [frame(samples.name, call), ...outer], depth + 1);
    }
  }
  for (const { samples } of functions) {
    if (samples === undefined) continue;
    const callers = (samples.callers ?? []).map((caller) => frame(caller.name, caller)).reverse();
    yield* walk(samples, callers, 1);
  }
}

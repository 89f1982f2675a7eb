import type { FunctionSamples, LineLocation } from '../sample-profile/types.js';
import { lineDistance, sourceLine } from './source-line.js';
import type { ProfileReport } from './types.js';

/** A function on a stack, and the line of the function. */
export interface StackFrame {
  /** Name of the function in the profile. */
  name: string;
  /**
   * Number of the line. If the file is known: the line of the file; with pseudo probes, which have no lines, the
   * line of the function's declaration. If the file is not known: lines after the declaration, or the number of
   * the probe. 0 for a line before the first line of the file.
   */
  line: number;
}

/** A count of a profile, and the stack of functions around it. */
export interface CountedStack {
  /**
   * The frames, the innermost first: the inlined functions, the function with code of its own, and then the
   * callers of its context.
   */
  frames: StackFrame[];
  /** Number of frames, from the innermost one on, that share one piece of code. */
  inlined: number;
  count: bigint;
}

/**
 * Yields each line of a profile with a count as a stack: the line's function, the functions into which it is
 * inlined, then the callers of the context.
 */
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

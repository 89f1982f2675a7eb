import { promisify } from 'node:util';
import { inflate, inflateSync } from 'node:zlib';

/** zlib data that a step needs unpacked, to `limit` bytes at most. */
export interface Packed {
  bytes: Uint8Array;
  limit: number;
}

/**
 * Work that can be interrupted. It yields after each small step. To have data unpacked, it yields the data and is
 * given the unpacked bytes. At the end it returns its result.
 */
export type Steps<T> = Generator<Packed | undefined, T, Uint8Array | undefined>;

/** Time of work in milliseconds before other work of the event loop may run. */
const TURN = 5;
/** Number of steps between two looks at the clock. */
const STEPS_A_LOOK = 32;

const unpack = promisify(inflate);

/** Runs all steps in one go. */
export function finish<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; ) {
    if (step.done === true) return step.value;
    const wanted = step.value;
    step =
      wanted === undefined ? steps.next() : unpacked(steps, () => inflateSync(wanted.bytes, options(wanted)));
  }
}

/**
 * Runs all steps, and lets other work of the event loop run in between. Rejects with the signal's reason once it
 * is aborted.
 */
export async function finishInTurns<T>(steps: Steps<T>, signal: AbortSignal | undefined): Promise<T> {
  let until = performance.now() + TURN;
  let step = steps.next();
  for (let count = 1; ; count++) {
    if (step.done === true) return step.value;
    const wanted = step.value;
    if (wanted !== undefined) {
      const result = await unpack(wanted.bytes, options(wanted)).catch((error: unknown) => error as Error);
      step = unpacked(steps, () => {
        if (result instanceof Error) throw result;
        return result;
      });
    } else {
      if (count % STEPS_A_LOOK === 0 && performance.now() >= until) {
        await new Promise(setImmediate);
        until = performance.now() + TURN;
      }
      signal?.throwIfAborted();
      step = steps.next();
    }
  }
}

/** Gives the unpacked bytes to the step that needs them, or throws the error of unpacking into that step. */
function unpacked<T>(steps: Steps<T>, result: () => Uint8Array): IteratorResult<Packed | undefined, T> {
  let bytes: Uint8Array;
  try {
    bytes = result();
  } catch (error) {
    return steps.throw(error);
  }
  return steps.next(bytes);
}

function options({ limit }: Packed): { maxOutputLength: number } {
  return { maxOutputLength: limit };
}

/** Calls `read` `count` times, each time in a step of its own, and returns the results. */
export function* repeat<T>(count: number, read: () => T): Steps<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    all.push(read());
    yield;
  }
  return all;
}

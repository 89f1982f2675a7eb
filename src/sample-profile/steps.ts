import { promisify } from 'node:util';
import { inflate, inflateSync } from 'node:zlib';

/** Bytes of zlib that a step wants unpacked, to `limit` bytes at most. */
export interface Packed {
  bytes: Uint8Array;
  limit: number;
}

/**
 * Work that can be interrupted: it yields after each small step, or yields what it wants unpacked and is handed the
 * result, and returns what it has made.
 */
export type Steps<T> = Generator<Packed | undefined, T, Uint8Array | undefined>;

/** Milliseconds of work before the event loop has its turn. */
const TURN = 5;
/** Steps between two looks at the clock. */
const STEPS_A_LOOK = 32;

const unpack = promisify(inflate);

/** Does all steps at once. */
export function finish<T>(steps: Steps<T>): T {
  for (let step = steps.next(); ; ) {
    if (step.done === true) return step.value;
    const wanted = step.value;
    step =
      wanted === undefined ? steps.next() : unpacked(steps, () => inflateSync(wanted.bytes, options(wanted)));
  }
}

/** Does all steps and lets the event loop run in between. Rejects with the signal's reason once it is aborted. */
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

/** Hands to the step the bytes that it wanted, or the error that there is instead. */
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

/** What `read` returns `count` times, each in a step of its own. */
export function* repeat<T>(count: number, read: () => T): Steps<T[]> {
  const all: T[] = [];
  while (all.length < count) {
    all.push(read());
    yield;
  }
  return all;
}

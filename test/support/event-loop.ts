import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Milliseconds of processor time that the main thread has used (Linux: Documentation/scheduler/sched-stats.rst);
 * undefined where the system does not tell.
 */
function mainThreadTime(): number | undefined {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return undefined;
  }
}

/** True where the system tells how long a thread has run. */
export const canMeasureBlocks = mainThreadTime() !== undefined;

/** Node's `gc`, without the flag for it. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * The longest time in milliseconds that the main thread computed without letting a timer run while `work` was under way. It is
 * time of the processor, so it does not depend on what else the machine does.
 */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  // What ran before has left garbage, and collecting that is no work of `work`.
  collectGarbage();
  let longest = 0;
  let last = mainThreadTime() ?? Number.NaN;
  const tick = () => {
    const now = mainThreadTime() ?? Number.NaN;
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(tick, 1);
  try {
    await work();
    tick();
  } finally {
    clearInterval(timer);
  }
  return longest;
}

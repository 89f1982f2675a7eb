import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Returns the processor time of the main thread in milliseconds (Linux: Documentation/scheduler/sched-stats.rst).
 * Returns `undefined` if the system does not tell it.
 */
function mainThreadTime(): number | undefined {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return undefined;
  }
}

/** True if the system tells the processor time of a thread. */
export const canMeasureBlocks = mainThreadTime() !== undefined;

/** The function `gc` of Node, made available without a flag on the command line. */
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Returns the longest time in milliseconds during which the main thread computed without letting a timer run,
 * while `work` was under way. The time is processor time, so it does not depend on other work of the machine.
 */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  // Earlier work has left garbage. Collecting it must not be counted as work of `work`.
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

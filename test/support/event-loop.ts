import { readFileSync } from 'node:fs';

/**
 * Milliseconds that the main thread has waited for a processor (Linux: Documentation/scheduler/sched-stats.rst);
 * 0 where the system does not tell.
 */
function runQueueDelay(): number {
  try {
    const [, nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * The longest time in milliseconds that the event loop was kept from running timers while `work` was under way. Time
 * in which other processes had the processor is not counted: it says nothing about the work.
 */
export async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  let lastDelay = runQueueDelay();
  const tick = () => {
    const now = performance.now();
    const delay = runQueueDelay();
    longest = Math.max(longest, now - last - (delay - lastDelay));
    last = now;
    lastDelay = delay;
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

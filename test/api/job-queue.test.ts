import { expect, it } from 'vitest';
import { JobQueue } from '../../src/job-queue.js';

/** Makes jobs that end when they are told to, and counts the running jobs. */
function workshop() {
  const ends: (() => void)[] = [];
  const state = { running: 0, most: 0 };
  const job = async () => {
    state.running++;
    state.most = Math.max(state.most, state.running);
    await new Promise<void>((resolve) => ends.push(resolve));
    state.running--;
  };
  return { ends, state, job };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

it('the queue runs at most its limit at once, and finally runs all jobs', async () => {
  const queue = new JobQueue(2);
  const { ends, state, job } = workshop();
  const all = Array.from({ length: 7 }, () => queue.run(undefined, job));
  for (let ended = 0; ended < 7; ended++) {
    await soon();
    expect(state.running).toBe(Math.min(2, 7 - ended));
    ends[ended]?.();
  }
  await Promise.all(all);
  expect(state.most).toBe(2);
});

it('a waiting job ends at once when it is aborted, and a failed job makes room for another', async () => {
  const queue = new JobQueue(1);
  const { ends, job } = workshop();
  const first = queue.run(undefined, async () => {
    await job();
    throw new Error('failed');
  });
  const abort = new AbortController();
  const waiting = queue.run(abort.signal, job);
  const last = queue.run(undefined, async () => 'ran');
  abort.abort('enough');
  await expect(waiting).rejects.toBe('enough');
  await soon();
  ends[0]?.();
  await expect(first).rejects.toThrow('failed');
  await expect(last).resolves.toBe('ran');
});

it('the queue starts no job for a signal that is already aborted', async () => {
  const { job, state } = workshop();
  await expect(new JobQueue(1).run(AbortSignal.abort('no'), job)).rejects.toBe('no');
  expect(state.most).toBe(0);
});

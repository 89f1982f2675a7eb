import { expect, it } from 'vitest';
import { longestBlock } from '../support/event-loop.js';

it('a block is seen', async () => {
  const block = await longestBlock(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const until = performance.now() + 60;
    while (performance.now() < until) JSON.stringify(until);
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  // Some of the 60 ms may have gone to other processes.
  expect(block).toBeGreaterThan(10);
});

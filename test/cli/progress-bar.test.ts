import { expect, it } from 'vitest';
import { DownloadLines, progressText } from '../../src/cli/progress-bar.js';
import type { Progress } from '../../src/index.js';

it.each<[Progress, number, string]>([
  [{ phase: 'open', done: 0, total: 0 }, 9000, 'opening files'],
  [
    { phase: 'decode', done: 500e6, total: 2e9, file: 12, files: 60 },
    10_000,
    '[########......................]  25 %  reading branch stacks, file 12 of 60, 500.0 MB of 2.00 GB, 50.0 MB/s, 30 s left',
  ],
  [
    { phase: 'decode', done: 1e6, total: 2e6 },
    500,
    '[###############...............]  50 %  reading branch stacks, 1.00 MB of 2.00 MB',
  ],
  [
    { phase: 'decode', done: 1e6, total: 0, file: 1, files: 2 },
    9000,
    'reading branch stacks, file 1 of 2, 1.00 MB, 111.1 kB/s',
  ],
  [
    { phase: 'merge', done: 30, total: 40 },
    6000,
    '[#######################.......]  75 %  merging profiles, file 30 of 40, 2.00 s left',
  ],
])('%j after %i ms', (progress, elapsed, line) => {
  expect(progressText(progress, elapsed)).toBe(line);
});

it('downloads are reported in lines, once a second and at their end', () => {
  let now = 0;
  const told: string[] = [];
  const stream = { write: (text: string) => told.push(text) } as unknown as NodeJS.WritableStream;
  const lines = new DownloadLines(stream, () => now);
  for (const done of [1e6, 2e6, 3e6, 4e6]) {
    lines.update({ phase: 'download', done, total: 4e6 });
    lines.update({ phase: 'decode', done, total: 4e6 });
    now += 600;
  }
  const line = (done: string) => `fetching files by build id: ${done} of 4.00 MB\n`;
  expect(told).toEqual([line('1.00 MB'), line('3.00 MB'), line('4.00 MB')]);
});

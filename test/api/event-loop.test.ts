import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  collectTraces,
  compareProfiles,
  convertProfile,
  describeProfile,
  diagnoseBinary,
  generateProfile,
  inspectPerfData,
  inspectTraces,
  mergeProfiles,
  readProfile,
  report,
} from '../../src/index.js';
import { canMeasureBlocks, longestBlock } from '../support/event-loop.js';
import { fixture } from '../support/fixtures.js';
import { writeLargeRecording } from '../support/large-recording.js';
import { temporaryFolder } from '../support/temporary.js';

/** Time in milliseconds of computing that nobody notices. */
const FREE = 20;
/**
 * The same time for work that returns a million objects. V8 collects garbage meanwhile, a young generation (16
 * MiB) at a time. On a slow machine it is the time that JavaScript takes to make as many objects.
 */
const FREE_WITH_OBJECTS = 100;

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const at = (name: string) => join(temporary.path, name);

it.skipIf(!canMeasureBlocks)('the test sees a block of the event loop', async () => {
  const block = await longestBlock(async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const until = process.cpuUsage().user + 60_000;
    while (process.cpuUsage().user < until) JSON.stringify(until);
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
  expect(block).toBeGreaterThan(40);
});

describe.skipIf(!canMeasureBlocks)('nothing blocks the event loop', () => {
  const recording = at('large.data');
  const text = at('large.prof');
  beforeAll(async () => {
    writeLargeRecording(calc, recording, 64 << 20);
    temporary.write('large.prof', largeProfile(60_000));
    await convertProfile({ input: text, output: at('large.afdo') });
    await convertProfile({ input: text, output: at('packed.afdo'), compressAllSections: true });
  }, 120_000);

  it.each<[string, number, () => Promise<unknown>]>([
    [
      'generateProfile',
      FREE,
      () => generateProfile({ binary: calc.binary, perfData: recording, onProgress: () => {} }),
    ],
    ['inspectPerfData', FREE, () => inspectPerfData(recording, { onProgress: () => {} })],
    ['diagnoseBinary', FREE, () => diagnoseBinary({ binary: calc.binary, perfData: recording })],
    ['collectTraces', FREE, () => collectTraces({ perfData: recording, output: at('large.parquet') })],
    ['inspectTraces', FREE, () => inspectTraces(at('large.parquet'))],
    [
      'generateProfile of traces',
      FREE,
      () => generateProfile({ binary: calc.binary, traces: at('large.parquet') }),
    ],
    ['mergeProfiles', FREE, () => mergeProfiles({ inputs: [at('large.afdo'), at('packed.afdo')] })],
    ['convertProfile', FREE, () => convertProfile({ input: at('large.afdo'), format: 'text' })],
    ['describeProfile', FREE_WITH_OBJECTS, () => describeProfile({ path: at('large.afdo'), top: 60_000 })],
    [
      'compareProfiles',
      FREE_WITH_OBJECTS,
      () =>
        compareProfiles({
          base: calc.binary.replace(/calc$/, 'expected.afdo'),
          test: at('large.afdo'),
          top: 20_000,
        }),
    ],
    ['readProfile of text', FREE_WITH_OBJECTS, () => readProfile(text)],
    ['readProfile of extbinary', FREE_WITH_OBJECTS, () => readProfile(at('large.afdo'))],
    ['readProfile of bytes', FREE_WITH_OBJECTS, () => readProfile(readFileSync(at('large.afdo')))],
    ['readProfile of packed sections', FREE_WITH_OBJECTS, () => readProfile(at('packed.afdo'))],
    ['report', FREE_WITH_OBJECTS, () => report({ profile: at('large.afdo'), base: at('packed.afdo') })],
  ])(
    '%s',
    async (_, free, work) => {
      // Caches that other programs have emptied make a run slower. A block by the work itself occurs in each run.
      let block = Number.POSITIVE_INFINITY;
      for (let run = 0; run < 3 && block >= free; run++) block = Math.min(block, await longestBlock(work));
      const slow = free === FREE_WITH_OBJECTS ? await longestBlock(async () => makeObjects(1_000_000)) : 0;
      expect(block).toBeLessThan(Math.max(free, slow));
    },
    120_000,
  );
});

it('readProfile ends when it is aborted', async () => {
  const abort = new AbortController();
  const reading = readProfile(at('large.prof'), { signal: abort.signal });
  setTimeout(() => abort.abort('enough'), 20);
  await expect(reading).rejects.toBe('enough');
});

function makeObjects(count: number): { line: number; count: bigint }[] {
  return Array.from({ length: count }, (_, line) => ({ line, count: BigInt(line) }));
}

function largeProfile(functions: number): string {
  let text = '';
  for (let index = 0; index < functions; index++) {
    text += `_ZN4demo8functionILi${index}EEvv:4500:10\n`;
    for (let line = 1; line < 10; line++)
      text += ` ${line}.${index % 7}: ${line * 100} callee_${index % 99}:${line}\n`;
  }
  return text;
}

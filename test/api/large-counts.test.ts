import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  compareProfiles,
  describeProfile,
  generateProfile,
  mergeProfiles,
  readProfile,
} from '../../src/index.js';
import { fixture } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

// A count has up to 64 bits, and a sum has more. A JavaScript number holds 53 bits.

const temporary = temporaryFolder();
const HALF = 2n ** 63n + 1n;
const SUM = 2n ** 64n + 2n;
const text = temporary.write('large.prof', `main:${HALF}:${HALF}\n 1: ${HALF}\n 2: ${HALF}\n`);

it('the result of a merge has all digits', async () => {
  const { totalCount, maxCount } = await mergeProfiles({ inputs: [text] });
  expect([totalCount, maxCount]).toEqual([SUM, HALF]);
});

it('a description has all digits', async () => {
  const { summary, functions, totalSamples } = await describeProfile({ path: text });
  expect(functions).toEqual([{ name: 'main', total: HALF, head: HALF }]);
  expect(totalSamples).toBe(HALF);
  expect(summary.totalCount).toBe(SUM);
  expect(summary.entries.at(-1)?.minCount).toBe(HALF);
});

it('a comparison has all digits', async () => {
  const { samples } = await compareProfiles({ base: text, test: text });
  expect([samples.base, samples.test]).toEqual([SUM, SUM]);
});

it('the result of a job has all digits', async () => {
  const { binary, perfData } = fixture('calc-x86_64');
  const counted = await generateProfile({ binary, perfData, skipSymbolization: true });
  const large = Buffer.from(counted.bytes ?? [])
    .toString()
    .replace(/:\d+$/m, `:${2n ** 54n + 1n}`);
  const unsymbolizedProfile = temporary.write('large.counters', large);
  const output = temporary.write('large.afdo', '');
  const { statistics } = await generateProfile({ binary, unsymbolizedProfile, output });
  const { maxCount, totalCount } = (await readProfile(output)).summary ?? {};
  expect([statistics.maxCount, statistics.totalCount]).toEqual([maxCount, totalCount]);
  expect(statistics.maxCount).toBeGreaterThan(2n ** 54n);
});

it('JSON has whole numbers with all digits', async () => {
  const { stdout } = await runCli(['show', text, '--all-functions', '--json']);
  const shown = stdout.toString();
  expect(shown).toContain(`"totalCount": ${SUM},`);
  expect(shown.match(new RegExp(`"(total|head|samples)": ${HALF}\\b`, 'g'))).toHaveLength(4);
  const output = `${text}.afdo`;
  const merged = await runCli(['merge', text, '-o', output, '--json']);
  expect(merged.stdout.toString()).toContain(`"totalCount": ${SUM},`);
  expect(readFileSync(output).length).toBeGreaterThan(0);
});

it('text for people has all digits', async () => {
  const { stdout } = await runCli(['show', text]);
  expect(stdout.toString()).toContain('together 18,446,744,073,709,551,618');
});

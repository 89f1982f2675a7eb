import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectPerfData, type PerfDataSummary } from '../../src/index.js';
import { inspectWithOracle } from '../oracle/inspect.js';
import { allFixtures, fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();

/**
 * Returns the facts on which both readers must agree. The texts about damage, and the verdict that follows from
 * damage, are the product's own.
 */
function comparable(summary: PerfDataSummary): object {
  const {
    problems: _problems,
    autofdo: _autofdo,
    branchFromSum: _from,
    branchToSum: _to,
    ...facts
  } = summary as PerfDataSummary & Record<'branchFromSum' | 'branchToSum', unknown>;
  return facts;
}

async function both(path: string): Promise<[object, object]> {
  const outcome = (reading: Promise<PerfDataSummary>) =>
    reading.then(comparable, ({ code }: { code: string }) => ({ code }));
  return Promise.all([outcome(inspectPerfData(path)), outcome(inspectWithOracle(path))]);
}

describe.each(allFixtures())('$name', ({ perfData }) => {
  it('gives the same result in both readers', async () => {
    const [found, expected] = await both(perfData);
    expect(found).toEqual(expected);
    expect(found).toMatchObject({ complete: true, samples: expect.toSatisfy((count: bigint) => count > 0n) });
  });
});

it('a recording that is cut anywhere gives the same result in both readers', async () => {
  const whole = readFileSync(fixture('calc-x86_64').perfData);
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
      const path = temporary.write(`cut-${run++}.data`, whole.subarray(0, length));
      const [found, expected] = await both(path);
      expect(found).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

it('a recording with changed records gives the same result in both readers', async () => {
  const whole = readFileSync(fixture('calc-x86_64').perfData);
  const [start, size] = [40, 48].map((at) => Number(whole.readBigUInt64LE(at))) as [number, number];
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: start, max: start + size - 1 }), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
      async (changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const path = temporary.write(`changed-${run++}.data`, bytes);
        const [found, expected] = await both(path);
        expect(found).toEqual(expected);
      },
    ),
    { numRuns: 100 },
  );
});

it("a sample's mode decides to which image its code belongs", async () => {
  const bytes = Uint8Array.from(readFileSync(fixture('calc-x86_64').perfData));
  const view = new DataView(bytes.buffer);
  let at = Number(view.getBigUint64(40, true));
  while (view.getUint32(at, true) !== 9) at += view.getUint16(at + 6, true);
  view.setUint16(at + 4, 1, true); // PERF_RECORD_MISC_KERNEL
  const [found, expected] = await both(temporary.write('kernel-mode.data', bytes));
  expect(found).toEqual(expected);
});

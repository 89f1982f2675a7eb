import { expect, it } from 'vitest';
import { inspectPerfData } from '../../src/index.js';
import { inspectionText } from '../../src/report/inspection.js';
import { collectText } from '../../src/report/traces.js';
import { fixture } from '../support/fixtures.js';

const NAMES: [name: string, one: string][] = [
  ['samples', 'sample'],
  ['samples with branches', 'sample with branches'],
  ['entries', 'entry'],
  ['entries of guests', 'entry of guests'],
  ['entries that were not taken', 'entry that was not taken'],
  ['entries where nothing was mapped', 'entry where nothing was mapped'],
  ['records lost', 'record lost'],
  ['call chains left out', 'call chain left out'],
  ['addresses', 'address'],
  ['addresses in memory of no file', 'address in memory of no file'],
];

it.each(NAMES)('a collection of one of the %s', (name, one) => {
  const text = (count: bigint) =>
    collectText({
      shards: [{ path: 'x.parquet', rows: 1, size: 1 }],
      interrupted: false,
      ledger: [{ name, count }],
      diagnostics: [],
      timings: [],
    });
  expect(text(1n)).toMatch(new RegExp(`^read +1 ${one}$`, 'm'));
  for (const count of [0n, 2n]) expect(text(count)).toMatch(new RegExp(`^read +${count} ${name}$`, 'm'));
});

it('a machine with one processor', async () => {
  const summary = await inspectPerfData(fixture('calc-x86_64').perfData);
  const text = (cpus: number) => inspectionText({ ...summary, machine: { ...summary.machine, cpus } });
  expect(text(1)).toMatch(/^machine .*\b1 CPU$/m);
  expect(text(2)).toMatch(/^machine .*\b2 CPUs$/m);
});

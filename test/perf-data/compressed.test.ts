import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectPerfData } from '../../src/index.js';
import { BRANCH_EVENT, PerfDataBuilder } from '../support/perf-data-builder.js';
import { temporaryFolder } from '../support/temporary.js';
import { StoredZstdFrame } from '../support/zstd-frame.js';

const temporary = temporaryFolder();
const SAMPLES = 50;

const inner = new PerfDataBuilder();
for (let index = 0; index < SAMPLES; index++) {
  inner.sample({
    branches: Array.from({ length: index % 7 }, (_, n) => ({ from: BigInt(n), to: BigInt(index) })),
  });
}
const records = inner.data();

type Form = 'compressed' | 'compressed2' | 'overflown size';

/** Puts a piece of the compressed stream into a record of the given form. */
function wrap(builder: PerfDataBuilder, form: Form, payload: Uint8Array): void {
  if (form === 'compressed') {
    builder.record(81, 0, payload);
    return;
  }
  const body = builder.bytes().u64(payload.length).raw(payload);
  // perf 6.16 writes a size of 0 and no padding when the padded size does not fit 16 bits.
  if (form === 'overflown size') builder.record(83, 0, body.toBytes(), 0);
  else builder.record(83, 0, body.raw(new Uint8Array((8 - (body.length % 8)) % 8)).toBytes());
}

function recording(cuts: number[], forms: Form[]): Uint8Array {
  const builder = new PerfDataBuilder().event(BRANCH_EVENT).mmap(1, 0x400000n, 0x1000n, '/bin/app');
  const frame = new StoredZstdFrame();
  const ends = [...new Set(cuts)].sort((a, b) => a - b);
  for (const [index, end] of [...ends, records.length].entries()) {
    wrap(
      builder,
      forms[index % forms.length] ?? 'compressed',
      frame.push(records.subarray(ends[index - 1] ?? 0, end)),
    );
    builder.record(68, 0, new Uint8Array(0)); // plain records stand in between
  }
  return builder.file();
}

describe('compressed records', () => {
  it('hold records that are cut anywhere', async () => {
    const form = fc.constantFrom<Form>('compressed', 'compressed2', 'overflown size');
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(records.length), { maxLength: 12 }),
        fc.array(form, { minLength: 1, maxLength: 3 }),
        async (cuts, forms) => {
          const path = temporary.write(`cut-${run++}.data`, recording(cuts, forms));
          expect(await inspectPerfData(path)).toMatchObject({
            compressed: true,
            complete: true,
            samples: SAMPLES,
            branchEntries: Array.from({ length: SAMPLES }, (_, index) => index % 7).reduce(
              (sum, n) => sum + n,
              0,
            ),
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('that are damaged end the reading, not the job', async () => {
    const bytes = recording([100, 200], ['compressed']);
    const magic = Buffer.from(bytes).indexOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd));
    bytes[magic] = 0;
    const summary = await inspectPerfData(temporary.write('damaged.data', bytes));
    expect(summary).toMatchObject({ complete: false, samples: 0, mmaps: 1 });
    expect(summary.problems.join()).toContain('compressed records are damaged');
    expect(summary.autofdo.reasons).toEqual(['no sample of it could be read']);
  });
});

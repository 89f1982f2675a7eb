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

/** Writes a piece of the compressed stream into a record of the given form. */
function wrap(builder: PerfDataBuilder, form: Form, payload: Uint8Array): void {
  if (form === 'compressed') {
    builder.record(81, 0, payload);
    return;
  }
  const body = builder.bytes().u64(payload.length).raw(payload);
  // perf 6.16 writes a size of 0 and no padding if the padded size does not fit into 16 bits.
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
    builder.record(68, 0, new Uint8Array(0)); // Plain records stand in between.
  }
  return builder.file();
}

describe('compressed records', () => {
  it('may cut records anywhere', async () => {
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
            samples: BigInt(SAMPLES),
            branchEntries: Array.from({ length: SAMPLES }, (_, index) => BigInt(index % 7)).reduce(
              (sum, n) => sum + n,
              0n,
            ),
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('may be inside of one that is larger than its header can tell', async () => {
    const builder = new PerfDataBuilder().event(BRANCH_EVENT);
    const inside = new PerfDataBuilder();
    for (let index = 0; index < 400; index++) {
      inside.sample({ branches: Array.from({ length: 32 }, () => ({ from: 1n, to: 2n })) });
    }
    const payload = new StoredZstdFrame().push(inside.data());
    // The first record holds this number of bytes; the rest follows in records of its own, inside of the first.
    const brim = 65519;
    const rest = builder.bytes();
    for (let at = brim; at < payload.length; at += 40000) {
      const piece = payload.subarray(at, at + 40000);
      rest
        .u32(83)
        .u16(0)
        .u16(16 + piece.length)
        .u64(0x0123_4567_89ab_cdefn)
        .raw(piece);
    }
    const size = brim + rest.length;
    const first = builder.bytes().u64(size).raw(payload.subarray(0, brim)).raw(rest.toBytes()).toBytes();
    builder.record(83, 0, first, (16 + size) % 65536).record(68, 0, new Uint8Array(0));
    for (const [name, bytes] of [
      ['file', builder.file()],
      ['pipe', builder.pipe()],
    ] as const) {
      const summary = await inspectPerfData(temporary.write(`merged-${name}`, bytes));
      expect(summary).toMatchObject({ complete: true, samples: 400n, branchEntries: 400n * 32n });
    }
    const cut = builder.pipe().subarray(0, -100);
    expect(await inspectPerfData(temporary.write('merged-cut', cut))).toMatchObject({ complete: false });
  });

  it('are limited in the number of their processes', async () => {
    // 70,000 equal FORK records of 32 bytes, as zstd compresses them at level 19.
    const packed = Buffer.from(
      'KLUv/QBo1AAAcoEDCMAbDn+L13YK/4bLGS8CAN3/Q2WudutUAAAAAQD9/+P/uQYCRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAAB' +
        'AP3/OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAA' +
        'AAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACRAAAAAEA/f85AAJEAAAAAQD9/zkAAkQAAAABAP3/OQACPAAAAAEA/Y0HQA==',
      'base64',
    );
    const builder = new PerfDataBuilder().event(BRANCH_EVENT).record(81, 0, packed);
    const summary = await inspectPerfData(temporary.write('bomb.data', builder.file()));
    expect(summary).toMatchObject({ complete: false, compressed: true });
    expect(summary.problems.join()).toContain(
      'more mappings and processes than a recording of this size can have',
    );
  });

  it('end the reading, not the job, if they are damaged', async () => {
    const bytes = recording([100, 200], ['compressed']);
    const magic = Buffer.from(bytes).indexOf(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd));
    bytes[magic] = 0;
    const summary = await inspectPerfData(temporary.write('damaged.data', bytes));
    expect(summary).toMatchObject({ complete: false, samples: 0n, mmaps: 1 });
    expect(summary.problems.join()).toContain('does not decompress');
    expect(summary.autofdo.reasons).toEqual(['no sample of it could be read']);
  });
});

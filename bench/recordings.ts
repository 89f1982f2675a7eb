/**
 * Makes recordings from another one: compressed, or with only some of its samples. Works on files of
 * `test/recorder`, whose parts have the same order as in perf's files.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from './random.js';

// Offsets in the header, and numbers, from linux/tools/perf/util/header.h and include/uapi/linux/perf_event.h.
const DATA_OFFSET = 40;
const DATA_SIZE = 48;
const FEATURE_BITS = 72;
const FEATURES = 256;
const HEADER_COMPRESSED = 27;
const RECORD_SAMPLE = 9;
const RECORD_COMPRESSED = 81;

/** Number of bytes that perf compresses at a time: the size of its buffer for a CPU. */
const CHUNK_BYTES = 512 << 10;

/** Writes `source` in the form that `perf record -z` writes. */
export function compressed(source: string, target: string): void {
  const feature = Buffer.alloc(20);
  // Version, zstd, level, ratio (which only people read), and the buffer size that a chunk needs.
  [1, 1, 1, 30, CHUNK_BYTES].forEach((value, index) => {
    feature.writeUInt32LE(value, index * 4);
  });
  rewrite(source, target, zstdRecords, [HEADER_COMPRESSED, feature]);
}

/** Writes `source` with about half of its samples. Each `seed` chooses other samples. */
export function halved(source: string, target: string, seed: number): void {
  const random = new Random(seed);
  rewrite(source, target, (records) => {
    const kept: Buffer[] = [];
    for (let at = 0; at < records.length; ) {
      const size = records.readUInt16LE(at + 6);
      if (records.readUInt32LE(at) !== RECORD_SAMPLE || random.below(2) === 0)
        kept.push(records.subarray(at, at + size));
      at += size;
    }
    return Buffer.concat(kept);
  });
}

/**
 * Writes `source`, a recording with call chains, with samples that hardly ever repeat: the entries of each branch stack
 * are shuffled, and the innermost caller is one of the callers of the recording, chosen at random.
 */
export function shuffled(source: string, target: string): void {
  const random = new Random(1);
  rewrite(source, target, (records) => {
    const callers: bigint[] = [];
    for (const sample of samplesOf(records)) callers.push(...sample.callers);
    const known = new BigUint64Array(new Set(callers));
    for (const { callers, entries } of samplesOf(records)) {
      if (callers.length > 0) callers[0] = known[random.below(known.length)] ?? 0n;
      for (let rest = entries.length / ENTRY_WORDS; rest > 1; rest--) {
        const chosen = random.below(rest) * ENTRY_WORDS;
        const last = (rest - 1) * ENTRY_WORDS;
        const moved = entries.slice(chosen, chosen + ENTRY_WORDS);
        entries.copyWithin(chosen, last, last + ENTRY_WORDS);
        entries.set(moved, last);
      }
    }
    return records;
  });
}

/** Words of a sample of `test/recorder` before the number of frames: address, thread, time, CPU and period. */
const HEAD_WORDS = 5;
/** Words of a branch entry: source, target and flags. */
const ENTRY_WORDS = 3;
/** Words of a call chain that are no callers: the marker of user space and the sampled address. */
const NO_CALLERS = 2;

/** Returns the parts of each sample with a call chain. Changes of these parts change `records`. */
function* samplesOf(records: Buffer): Generator<{ callers: BigUint64Array; entries: BigUint64Array }> {
  for (let at = 0; at < records.length; ) {
    const size = records.readUInt16LE(at + 6);
    if (records.readUInt32LE(at) === RECORD_SAMPLE) {
      const words = new BigUint64Array(records.buffer, records.byteOffset + at + 8, (size - 8) / 8);
      const chain = HEAD_WORDS + 1;
      const stack = chain + Number(words[HEAD_WORDS]);
      yield { callers: words.subarray(chain + NO_CALLERS, stack), entries: words.subarray(stack + 1) };
    }
    at += size;
  }
}

/** Changes the records of a recording, and may add a feature after the existing features. */
function rewrite(
  source: string,
  target: string,
  change: (records: Buffer) => Buffer,
  added?: [bit: number, content: Buffer],
): void {
  const file = readFileSync(source);
  const start = Number(file.readBigUInt64LE(DATA_OFFSET));
  const end = start + Number(file.readBigUInt64LE(DATA_SIZE));
  const records = change(file.subarray(start, end));
  const features = Array.from({ length: FEATURES }, (_, bit) => bit)
    .filter((bit) => hasBit(file, bit))
    .map((bit, index): [number, Buffer] => {
      const entry = end + index * 16;
      const offset = Number(file.readBigUInt64LE(entry));
      return [bit, file.subarray(offset, offset + Number(file.readBigUInt64LE(entry + 8)))];
    });
  if (added) features.push(added);
  features.sort(([a], [b]) => a - b);

  const head = Buffer.from(file.subarray(0, start));
  head.writeBigUInt64LE(BigInt(records.length), DATA_SIZE);
  const table = Buffer.alloc(features.length * 16);
  let offset = start + records.length + table.length;
  for (const [index, [bit, content]] of features.entries()) {
    const byte = FEATURE_BITS + (bit >> 3);
    head.writeUInt8(head.readUInt8(byte) | (1 << (bit & 7)), byte);
    table.writeBigUInt64LE(BigInt(offset), index * 16);
    table.writeBigUInt64LE(BigInt(content.length), index * 16 + 8);
    offset += content.length;
  }
  writeFileSync(target, Buffer.concat([head, records, table, ...features.map(([, content]) => content)]));
}

const hasBit = (file: Buffer, bit: number) =>
  (file.readUInt8(FEATURE_BITS + (bit >> 3)) & (1 << (bit & 7))) !== 0;

/** Compresses each chunk into a frame of zstd, in a record of its own. */
function zstdRecords(records: Buffer): Buffer {
  const work = mkdtempSync(join(tmpdir(), 'autofdo-gen-bench-'));
  try {
    const filter = `--filter=zstd -1 -q --no-check -c > "$FILE"`;
    execFileSync('split', ['-a', '5', '-b', `${CHUNK_BYTES}`, filter, '-', `${work}/`], { input: records });
    const names = readdirSync(work).sort();
    return Buffer.concat(names.flatMap((name) => compressedRecord(readFileSync(join(work, name)))));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function compressedRecord(payload: Buffer): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(RECORD_COMPRESSED, 0);
  head.writeUInt16LE(head.length + payload.length, 6);
  return [head, payload];
}

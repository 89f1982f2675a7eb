import { compressedPayload, RecordCutter, RecordType, type StreamEnd } from './record.js';
import type { RecordCollector } from './record-collector.js';
import type { RecordSource } from './source.js';
import { openZstd, type ZstdStream } from './zstd.js';

/** Number of bytes that are read at a time: about a millisecond of work, so that the event loop stays free. */
const BLOCK_SIZE = 1 << 18;

/**
 * Number of bytes that are unpacked before other work of the event loop runs. The memory of earlier bytes is freed
 * then, too.
 */
const BYTES_A_TURN = 1 << 22;

/**
 * Types of records that the collector keeps in some form. Real records take at least 4 compressed bytes;
 * `MAX_FREE_KEPT` limits the number of records that take fewer.
 */
const KEPT: ReadonlySet<number> = new Set([
  RecordType.mmap,
  RecordType.mmap2,
  RecordType.fork,
  RecordType.headerAttr,
  RecordType.headerEventType,
  RecordType.headerBuildId,
  RecordType.eventUpdate,
  RecordType.headerFeature,
]);
const MAX_FREE_KEPT = 1 << 16;

/** Gives every record from `start` to `end` to the collector. Compressed records are unpacked first. */
export async function walkRecords(
  source: RecordSource,
  start: number,
  end: number,
  collector: RecordCollector,
): Promise<void> {
  const cutter = new RecordCutter(collector.littleEndian);
  const unpacker = new Unpacker(collector);
  let at = start;
  while (at < end && cutter.end === undefined) {
    source.discardBefore(at);
    const block = await source.read(at, Math.min(BLOCK_SIZE, end - at));
    if (block.length === 0) break;
    at += block.length;
    for (const record of cutter.push(block)) {
      if (record.type === RecordType.compressed || record.type === RecordType.compressed2) {
        await unpacker.push(compressedPayload(record, collector.littleEndian));
      } else collector.record(record);
    }
  }
  const stop = cutter.finish();
  if (stop !== undefined) collector.endsEarly(describe(stop));
  else if (Number.isFinite(end) && at < end) {
    collector.endsEarly(`its records should end at byte ${end}, but the file ends at ${at}`);
  }
  unpacker.finish();
}

function describe(stop: StreamEnd): string {
  switch (stop.kind) {
    case 'size':
      return `a record has the impossible size ${stop.size}; what follows it was not read`;
    case 'cut':
      return `it ends within a record, ${stop.bytes} bytes after its start`;
    case 'compression':
      return 'a compressed record does not hold what its size says; what follows it was not read';
  }
}

/** Unpacks the records inside of the compressed records of one stream. */
class Unpacker {
  readonly #collector: RecordCollector;
  readonly #cutter: RecordCutter;
  #zstd: Promise<ZstdStream | undefined> | undefined;
  #packed = 0;
  #sinceTurn = 0;
  #kept = 0;
  #stopped = false;

  constructor(collector: RecordCollector) {
    this.#collector = collector;
    this.#cutter = new RecordCutter(collector.littleEndian);
  }

  async push(payload: Uint8Array): Promise<void> {
    this.#collector.compressed = true;
    if (this.#stopped) return;
    this.#zstd ??= openZstd();
    const zstd = await this.#zstd;
    if (zstd === undefined) {
      this.#stop(
        'its compressed records (perf record -z) cannot be read: Node 22.15 or the addon is needed for zstd',
      );
      return;
    }
    try {
      this.#packed += payload.length;
      const unpacked = await zstd.decode(payload);
      this.#sinceTurn += unpacked.length;
      if (this.#sinceTurn > BYTES_A_TURN) {
        this.#sinceTurn = 0;
        await new Promise(setImmediate);
      }
      for (const record of this.#cutter.push(unpacked)) {
        if (KEPT.has(record.type)) this.#kept++;
        if (this.#kept > MAX_FREE_KEPT + this.#packed / 4) {
          this.#stop(
            'its compressed records hold more mappings and processes than a recording of this size can have',
          );
          return;
        }
        this.#collector.record(record);
      }
    } catch (error) {
      this.#stop(`its compressed records are damaged: ${(error as Error).message}`);
    }
    if (this.#cutter.end !== undefined) this.#stop(describe(this.#cutter.end));
  }

  finish(): void {
    if (this.#stopped) return;
    const stop = this.#cutter.finish();
    if (stop !== undefined) this.#collector.endsEarly(describe(stop));
  }

  #stop(problem: string): void {
    this.#stopped = true;
    this.#collector.endsEarly(problem);
  }
}

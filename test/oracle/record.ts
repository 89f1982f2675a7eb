import { u64AsNumber } from '../../src/perf-data/u64.js';

/** Types of records that a reader of branch stacks handles (perf_event.h; from 64 on, perf's own types). */
export const RecordType = {
  mmap: 1,
  lost: 2,
  comm: 3,
  fork: 7,
  sample: 9,
  mmap2: 10,
  lostSamples: 13,
  headerAttr: 64,
  headerEventType: 65,
  tracingData: 66,
  headerBuildId: 67,
  finishedRound: 68,
  auxtrace: 71,
  eventUpdate: 78,
  headerFeature: 80,
  compressed: 81,
  compressed2: 83,
} as const;

/** Size of `struct perf_event_header` in bytes. */
export const RECORD_HEADER_SIZE = 8;

/** One record, valid only until the next record is requested. */
export interface PerfRecord {
  type: number;
  misc: number;
  /** The bytes after the header. */
  body: Uint8Array;
  /** A view of the same bytes. */
  view: DataView;
}

/** Reason why a stream of records ended before its bytes did. */
export type StreamEnd =
  | { kind: 'size'; size: number }
  | { kind: 'cut'; bytes: number }
  | { kind: 'compression' };

/** Start of the text that `perf record -o - 2>&1` writes after the records. Nothing is missing in that case. */
const PERF_CHATTER = '[ perf record:';

/** First bytes of the data after a TRACING_DATA record, in either byte order. */
const TRACING_MAGIC = Uint8Array.from([0x17, 0x08, 0x44, ...new TextEncoder().encode('tracing')]);

const COMPRESSED2_HEADER_SIZE = 16;
/** Largest payload of a record in bytes: 65535 less the header, rounded down to a multiple of 8. */
const MAX_COMPRESSED2_PAYLOAD = 65519;

/**
 * Cuts blocks of bytes into records, wherever the blocks end.
 *
 * Some records are followed by bytes that their size does not include (tracing data, auxtrace). These bytes are
 * skipped.
 */
export class RecordCutter {
  readonly #littleEndian: boolean;
  /** Start of a record that continues in the next block. */
  #tail: Uint8Array = new Uint8Array(0);
  #skip = 0;
  /**
   * Number of bytes of tracing data that the last record announced. `perf inject -i PIPE -o FILE` copies the
   * record without this data.
   */
  #announced = 0;
  /** Number of bytes of COMPRESSED2 records that lie inside of the previous record. */
  #oversizedLeft = 0;
  #end: StreamEnd | undefined;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  /** Reason of the end once a record is impossible. Nothing after such a record can be trusted. */
  get end(): StreamEnd | undefined {
    return this.#end;
  }

  /** Yields the records that are complete with `block`. */
  *push(block: Uint8Array): Generator<PerfRecord> {
    if (this.#skip >= block.length && this.#skip > 0) {
      this.#skip -= block.length;
      return;
    }
    let bytes = this.#skip > 0 ? block.subarray(this.#skip) : block;
    this.#skip = 0;
    if (this.#tail.length > 0) bytes = concat(this.#tail, bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (this.#end === undefined && at + RECORD_HEADER_SIZE <= bytes.length) {
      if (this.#announced > 0) {
        if (at + TRACING_MAGIC.length > bytes.length) break;
        if (TRACING_MAGIC.every((byte, index) => bytes[at + index] === byte)) at += this.#announced;
        this.#announced = 0;
        continue;
      }
      const type = view.getUint32(at, this.#littleEndian);
      const size = this.#recordSize(view, at, type);
      if (size === undefined) break;
      if (size < RECORD_HEADER_SIZE) {
        this.#end = { kind: 'size', size };
        break;
      }
      if (this.#oversizedLeft > 0 && !this.#isInside(type, size)) {
        this.#end = { kind: 'compression' };
        break;
      }
      if (at + size > bytes.length) break;
      const start = bytes.byteOffset + at + RECORD_HEADER_SIZE;
      const record: PerfRecord = {
        type,
        misc: view.getUint16(at + 4, this.#littleEndian),
        body: bytes.subarray(at + RECORD_HEADER_SIZE, at + size),
        view: new DataView(bytes.buffer, start, size - RECORD_HEADER_SIZE),
      };
      at += size;
      if (this.#oversizedLeft > 0) {
        this.#oversizedLeft -= size;
        // The data size of this record is not set; all of the body is payload.
        yield { ...record, type: RecordType.compressed, body: record.body.subarray(8) };
        continue;
      }
      if (type === RecordType.compressed2 && record.body.length >= 8) {
        this.#oversizedLeft = Math.max(
          0,
          u64AsNumber(record.view, 0, this.#littleEndian) - MAX_COMPRESSED2_PAYLOAD,
        );
      }
      yield record;
      at += auxtraceBytes(record, this.#littleEndian);
      this.#announced = tracingBytes(record, this.#littleEndian);
    }
    if (at > bytes.length) this.#skip = at - bytes.length;
    // The block belongs to the caller, who may fill it again, so the rest is copied.
    this.#tail = at < bytes.length && this.#end === undefined ? bytes.slice(at) : new Uint8Array(0);
  }

  /** Must be called after the last block. Returns the reason if the stream ended early. */
  finish(): StreamEnd | undefined {
    const chatter = [...PERF_CHATTER].every((letter, index) => this.#tail[index] === letter.charCodeAt(0));
    const missing = (this.#tail.length > 0 && !chatter) || this.#skip > 0 || this.#oversizedLeft > 0;
    if (this.#end === undefined && missing) this.#end = { kind: 'cut', bytes: this.#tail.length };
    return this.#end;
  }

  /** Returns the size of a record, or `undefined` if more bytes are needed to tell it. */
  #recordSize(view: DataView, at: number, type: number): number | undefined {
    const size = view.getUint16(at + 6, this.#littleEndian);
    if (type !== RecordType.compressed2 || this.#oversizedLeft > 0) return size;
    if (at + COMPRESSED2_HEADER_SIZE > view.byteLength) return undefined;
    // In perf 6.16 the u16 size may overflow. The payload's own length is then right, and there is no padding. If
    // this length is more than a record can hold, the record is the first of several full records, and the others
    // lie inside of it.
    const payload = u64AsNumber(view, at + RECORD_HEADER_SIZE, this.#littleEndian);
    const padded = Math.ceil((COMPRESSED2_HEADER_SIZE + payload) / 8) * 8;
    return padded <= size ? size : COMPRESSED2_HEADER_SIZE + Math.min(payload, MAX_COMPRESSED2_PAYLOAD);
  }

  #isInside(type: number, size: number): boolean {
    return type === RecordType.compressed2 && size >= COMPRESSED2_HEADER_SIZE && size <= this.#oversizedLeft;
  }
}

/**
 * Returns the number of bytes after a TRACING_DATA record that its size does not include, if these bytes are
 * present.
 */
function tracingBytes({ type, view }: PerfRecord, littleEndian: boolean): number {
  if (type !== RecordType.tracingData || view.byteLength < 4) return 0;
  return Math.ceil(view.getUint32(0, littleEndian) / 8) * 8;
}

/** Returns the number of bytes after an AUXTRACE record that its size does not include. */
function auxtraceBytes({ type, view }: PerfRecord, littleEndian: boolean): number {
  if (type !== RecordType.auxtrace || view.byteLength < 8) return 0;
  return u64AsNumber(view, 0, littleEndian);
}

/** Returns the compressed bytes of a COMPRESSED or COMPRESSED2 record. */
export function compressedPayload({ type, body, view }: PerfRecord, littleEndian: boolean): Uint8Array {
  if (type === RecordType.compressed) return body;
  if (body.length < 8) return new Uint8Array(0);
  const size = view.getUint32(littleEndian ? 0 : 4, littleEndian);
  return body.subarray(8, 8 + Math.min(size, body.length - 8));
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

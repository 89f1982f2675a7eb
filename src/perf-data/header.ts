import type Long from 'long';
import { AutofdoError } from '../errors.js';
import { FILE_HEADER_SIZE, type FileSection, parseFileHeader } from './structs.js';
import { u64AsNumber } from './u64.js';

/** The header of a perf.data file or stream. */
export interface PerfDataHeader {
  littleEndian: boolean;
  /** Version of the format: 2 since Linux 3.6; 1 before. */
  version: 1 | 2;
  /** True for a stream of records without sections, as `perf record -o -` writes it. */
  pipe: boolean;
  /** Number of bytes from one attr to the next. */
  attrEntrySize: number;
  attrs: FileSection;
  data: FileSection;
  eventTypes: FileSection;
  /** Numbers of the feature sections in the file, ascending. */
  features: number[];
}

/** Size of a pipe stream's header. A header with this number at offset 8 is one of a pipe stream. */
export const PIPE_HEADER_SIZE = 16;
/** Number of bytes that `parseHeader` needs. A pipe stream or a short file has fewer. */
export const HEADER_BYTES = FILE_HEADER_SIZE;

const FEATURE_WORDS = 4;
const HOSTNAME_FEATURE = 3;
/** Sizes of attr entries that perf used while it wrote version 1: sizes of perf_event_attr plus 16. */
const V1_ENTRY_SIZES = new Set([80, 88, 96, 112, 120]);

/** Parses the header. Throws `INPUT_INVALID` if the file is not a perf.data. */
export function parseHeader(bytes: Uint8Array, path: string): PerfDataHeader {
  if (bytes.length < PIPE_HEADER_SIZE) {
    throw notPerfData(path, `it has only ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const magic = String.fromCharCode(...bytes.subarray(0, 8));
  const order = byteOrder(magic, view);
  if (order === undefined) throw notPerfData(path, describeStart(bytes));
  const { littleEndian, version } = order;
  const pipe = u64AsNumber(view, 8, littleEndian) === PIPE_HEADER_SIZE;
  if (!pipe && bytes.length < 72) throw notPerfData(path, `its header is cut after ${bytes.length} bytes`);
  const raw = parseFileHeader(pipe ? bytes.subarray(0, PIPE_HEADER_SIZE) : bytes, littleEndian);
  const headerSize = raw.headerSize.toNumber();
  return {
    littleEndian,
    version,
    pipe,
    attrEntrySize: raw.attrEntrySize.toNumber(),
    attrs: raw.attrs,
    data: raw.data,
    eventTypes: raw.eventTypes,
    // Very old headers end before the bitmap. The bytes after them are data.
    features: pipe || headerSize < FILE_HEADER_SIZE ? [] : featureNumbers(raw.features, littleEndian),
  };
}

function byteOrder(magic: string, view: DataView): { littleEndian: boolean; version: 1 | 2 } | undefined {
  switch (magic) {
    case 'PERFILE2':
      return { littleEndian: true, version: 2 };
    case '2ELIFREP':
      return { littleEndian: false, version: 2 };
    case 'PERFFILE':
      // Version 1 does not tell its byte order, so the byte order is the one in which a size makes sense.
      for (const littleEndian of [true, false]) {
        const entrySize = view.byteLength >= 24 ? u64AsNumber(view, 16, littleEndian) : 0;
        if (V1_ENTRY_SIZES.has(entrySize) || u64AsNumber(view, 8, littleEndian) === PIPE_HEADER_SIZE) {
          return { littleEndian, version: 1 };
        }
      }
      return { littleEndian: true, version: 1 };
    default:
      return undefined;
  }
}

function featureNumbers(words: Long[], littleEndian: boolean): number[] {
  const bits = setBits(words.flatMap((word) => [word.low, word.high]));
  if (littleEndian || bits.includes(HOSTNAME_FEATURE)) return bits;
  // A 32-bit big-endian machine wrote the bitmap as u32 words. perf recognises this by HOSTNAME, which is always
  // present.
  const swapped = setBits(words.flatMap((word) => [word.high, word.low]));
  return swapped.includes(HOSTNAME_FEATURE) ? swapped : bits;
}

function setBits(words32: number[]): number[] {
  return Array.from({ length: FEATURE_WORDS * 64 }, (_, bit) => bit).filter(
    (bit) => ((words32[bit >>> 5] ?? 0) >>> (bit & 31)) & 1,
  );
}

function describeStart(bytes: Uint8Array): string {
  if (bytes[0] === 0x7f && String.fromCharCode(...bytes.subarray(1, 4)) === 'ELF') return 'it is an ELF file';
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `it starts with ${start}, not with PERFILE2`;
}

function notPerfData(path: string, found: string): AutofdoError {
  return new AutofdoError('INPUT_INVALID', `${path} is not a perf.data file: ${found}`, {
    hint: 'give a file that `perf record` wrote',
    path,
  });
}

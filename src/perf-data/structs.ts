import { Parser } from 'binary-parser';
import Long from 'long';

/** A part of the file. The numbers come from the file and must be checked against its size before use. */
export interface FileSection {
  /** Offset from the start of the file, in bytes. */
  offset: number;
  /** Size in bytes. */
  size: number;
}

/** The 104 bytes at the start of a file. Shorter headers of old versions are padded with zeros. */
export interface RawFileHeader {
  headerSize: Long;
  attrEntrySize: Long;
  attrs: FileSection;
  data: FileSection;
  eventTypes: FileSection;
  /** The four words of the feature bitmap. */
  features: Long[];
}

/** The part of `perf_event_attr` that a reader of branch stacks needs. */
export interface RawEventAttr {
  type: number;
  size: number;
  config: Long;
  samplePeriod: Long;
  sampleType: Long;
  readFormat: Long;
  flags: Long;
  branchSampleType: Long;
}

type Endianness = 'little' | 'big';

function word(endianness: Endianness): Parser {
  const parser = new Parser().endianness(endianness);
  return endianness === 'little' ? parser.uint32('low').uint32('high') : parser.uint32('high').uint32('low');
}

function toLong({ low, high }: { low: number; high: number }): Long {
  return Long.fromBits(low | 0, high | 0, true);
}

function u64Field(endianness: Endianness) {
  return { type: word(endianness), formatter: toLong as (item: never) => Long };
}

function sectionField(endianness: Endianness) {
  const type = new Parser()
    .endianness(endianness)
    .nest('offset', u64Field(endianness))
    .nest('size', u64Field(endianness));
  const toSection = ({ offset, size }: { offset: Long; size: Long }): FileSection => ({
    offset: offset.toNumber(),
    size: size.toNumber(),
  });
  return { type, formatter: toSection as (item: never) => FileSection };
}

/** Layout: perf, tools/perf/Documentation/perf.data-file-format.txt, `struct perf_header`. */
function fileHeader(endianness: Endianness): Parser {
  const u64 = u64Field(endianness);
  const section = sectionField(endianness);
  return new Parser()
    .endianness(endianness)
    .seek(8)
    .nest('headerSize', u64)
    .nest('attrEntrySize', u64)
    .nest('attrs', section)
    .nest('data', section)
    .nest('eventTypes', section)
    .array('features', {
      type: word(endianness),
      length: 4,
      formatter: ((words: { low: number; high: number }[]) => words.map(toLong)) as (item: never) => Long[],
    });
}

/** Layout: Linux, include/uapi/linux/perf_event.h, `struct perf_event_attr`. */
function eventAttr(endianness: Endianness): Parser {
  const u64 = u64Field(endianness);
  return new Parser()
    .endianness(endianness)
    .uint32('type')
    .uint32('size')
    .nest('config', u64)
    .nest('samplePeriod', u64)
    .nest('sampleType', u64)
    .nest('readFormat', u64)
    .nest('flags', u64)
    .seek(24) // wakeup, bp_type, config1, config2
    .nest('branchSampleType', u64);
}

const FILE_HEADER = { little: fileHeader('little'), big: fileHeader('big') };
const EVENT_ATTR = { little: eventAttr('little'), big: eventAttr('big') };
const SECTION = { little: sectionField('little').type, big: sectionField('big').type };

/** Size of the newest file header, in bytes. */
export const FILE_HEADER_SIZE = 104;
/** Number of bytes of an attr up to the last field that is read here. */
const ATTR_PREFIX_SIZE = 80;
/** Size in bytes of an attr whose own size field is 0: PERF_ATTR_SIZE_VER0. */
export const FIRST_ATTR_SIZE = 64;
/** Size of an {offset, size} pair, in bytes. */
export const SECTION_SIZE = 16;

function padded(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length >= size) return bytes.subarray(0, size);
  const whole = new Uint8Array(size);
  whole.set(bytes);
  return whole;
}

/** Parses a file header. Missing bytes count as zero. */
export function parseFileHeader(bytes: Uint8Array, littleEndian: boolean): RawFileHeader {
  const parser = FILE_HEADER[littleEndian ? 'little' : 'big'];
  return parser.parse(padded(bytes, FILE_HEADER_SIZE)) as RawFileHeader;
}

/** Parses an attr. Fields that an older kernel did not write count as zero. */
export function parseEventAttr(bytes: Uint8Array, littleEndian: boolean): RawEventAttr {
  const parser = EVENT_ATTR[littleEndian ? 'little' : 'big'];
  const attr = parser.parse(padded(bytes, ATTR_PREFIX_SIZE)) as RawEventAttr;
  const size = attr.size === 0 ? FIRST_ATTR_SIZE : attr.size;
  if (size >= ATTR_PREFIX_SIZE || bytes.length <= size) return attr;
  return parser.parse(padded(bytes.subarray(0, size), ATTR_PREFIX_SIZE)) as RawEventAttr;
}

/** Parses an {offset, size} pair. */
export function parseSection(bytes: Uint8Array, littleEndian: boolean): FileSection {
  const { offset, size } = SECTION[littleEndian ? 'little' : 'big'].parse(bytes) as {
    offset: Long;
    size: Long;
  };
  return { offset: offset.toNumber(), size: size.toNumber() };
}

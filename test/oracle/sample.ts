import type { EventAttr } from '../../src/perf-data/event-attr.js';
import { u64AsNumber } from '../../src/perf-data/u64.js';
import { address } from './address.js';
import { BRANCH_HW_INDEX, ReadFormat, SampleField } from './sample-fields.js';

/** Size of `struct perf_branch_entry` in bytes: from, to, flags. */
export const BRANCH_ENTRY_SIZE = 24;

/** The fields of a sample that this reader uses. */
export interface Sample {
  /** Instruction pointer, signed, see `address`; undefined if it was not recorded. */
  ip: number | undefined;
  pid: number | undefined;
  /** Time stamp in nanoseconds. */
  time: number | undefined;
  /** Offset of the time stamp in the body. */
  timeAt: number;
  /** Offset of the first branch entry in the body, and number of entries; undefined without a branch stack. */
  branches: { offset: number; count: number } | undefined;
}

/**
 * Decodes a sample up to its branch stack. Later fields cannot move the branch stack. Returns `undefined` if the
 * sample is too short for the fields of its event.
 *
 * The order of the fields is that of the kernel's perf_output_sample, not the order of their bits.
 */
export function decodeSample(view: DataView, attr: EventAttr, littleEndian: boolean): Sample | undefined {
  const type = attr.sampleType;
  const length = view.byteLength;
  const sample: Sample = { ip: undefined, pid: undefined, time: undefined, timeAt: -1, branches: undefined };
  let at = 0;
  /** Takes 8 bytes, and returns their offset; -1 if the bytes are not there. */
  const word = () => {
    const start = at;
    at += 8;
    return at <= length ? start : -1;
  };

  if (type & SampleField.identifier) word();
  if (type & SampleField.ip) {
    const start = word();
    if (start >= 0) sample.ip = address(view, start, littleEndian);
  }
  if (type & SampleField.tid) {
    const start = word();
    if (start >= 0) sample.pid = view.getUint32(start, littleEndian);
  }
  if (type & SampleField.time) {
    const start = word();
    if (start >= 0) {
      sample.time = u64AsNumber(view, start, littleEndian);
      sample.timeAt = start;
    }
  }
  const { addr, id, streamId, cpu, period } = SampleField;
  for (const field of [addr, id, streamId, cpu, period]) if (type & field) at += 8;
  if (type & SampleField.read) at += readSize(view, at, attr.readFormat, littleEndian);
  if (type & SampleField.callchain) {
    if (at + 8 > length) return undefined;
    at += 8 + 8 * u64AsNumber(view, at, littleEndian);
  }
  if (type & SampleField.raw) {
    if (at + 4 > length) return undefined;
    at += 4 + view.getUint32(at, littleEndian);
  }
  if (at > length) return undefined;
  if (!(type & SampleField.branchStack)) return sample;

  if (at + 8 > length) return undefined;
  const count = u64AsNumber(view, at, littleEndian);
  at += 8;
  // A branch stack without entries may lack the index: the kernel writes a single zero if the PMU had no entries.
  if (count > 0 && attr.branchSampleType & BRANCH_HW_INDEX) at += 8;
  if (count * BRANCH_ENTRY_SIZE > length - at) return undefined;
  sample.branches = { offset: at, count };
  return sample;
}

/** Returns the size of the READ field. If the bytes do not tell it, the size is larger than any record. */
function readSize(view: DataView, at: number, format: number, littleEndian: boolean): number {
  const has = (bit: number) => (format & bit ? 1 : 0);
  const times = has(ReadFormat.enabled) + has(ReadFormat.running);
  const perCounter = 1 + has(ReadFormat.id) + has(ReadFormat.lost);
  if (!(format & ReadFormat.group)) return 8 * (times + perCounter);
  if (at + 8 > view.byteLength) return Number.POSITIVE_INFINITY;
  return 8 * (1 + times + perCounter * u64AsNumber(view, at, littleEndian));
}

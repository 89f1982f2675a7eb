import type Long from 'long';
import { parseEventAttr } from './structs.js';

/** Bits of `branch_sample_type`, with the names that perf uses after `-j`. */
const BRANCH_FILTERS: readonly [bit: number, name: string][] = [
  [0, 'u'],
  [1, 'k'],
  [2, 'hv'],
  [3, 'any'],
  [4, 'any_call'],
  [5, 'any_ret'],
  [6, 'ind_call'],
  [7, 'abort_tx'],
  [8, 'in_tx'],
  [9, 'no_tx'],
  [10, 'cond'],
  [11, 'call_stack'],
  [12, 'ind_jmp'],
  [13, 'call'],
  [14, 'no_flags'],
  [15, 'no_cycles'],
  [16, 'save_type'],
  [17, 'hw_index'],
  [18, 'priv'],
  [19, 'counter'],
];

const FREQ_FLAG = 10;
const SAMPLE_ID_ALL_FLAG = 18;

/** One event of a recording. */
export interface EventAttr {
  /** PERF_TYPE_*: 0 hardware, 1 software, 2 tracepoint, 3 cache, 4 raw. Other numbers are PMUs of the machine. */
  type: number;
  config: Long;
  /** Number of events between two samples, or number of samples in a second if `isFrequency` is true. */
  samplePeriod: Long;
  isFrequency: boolean;
  /** Low word of `sample_type`; higher bits are not in use. */
  sampleType: number;
  /** Low word of `read_format`. */
  readFormat: number;
  /** Low word of `branch_sample_type`. */
  branchSampleType: number;
  /** True if records other than samples end in time, id and so on, too. */
  sampleIdAll: boolean;
  /** Ids by which records name this event. The kernel numbers ids from 1. */
  ids: number[];
}

/** Decodes a `perf_event_attr` of any size. */
export function decodeEventAttr(bytes: Uint8Array, littleEndian: boolean, ids: number[]): EventAttr {
  const raw = parseEventAttr(bytes, littleEndian);
  // The flags are a C bit-field, which a big-endian machine fills from the top.
  const flag = (bit: number) => raw.flags.shiftRightUnsigned(littleEndian ? bit : 63 - bit).low & 1;
  return {
    type: raw.type,
    config: raw.config,
    samplePeriod: raw.samplePeriod,
    isFrequency: flag(FREQ_FLAG) === 1,
    sampleType: raw.sampleType.low,
    readFormat: raw.readFormat.low,
    branchSampleType: raw.branchSampleType.low,
    sampleIdAll: flag(SAMPLE_ID_ALL_FLAG) === 1,
    ids,
  };
}

/** Returns perf's names of the branches that `branch_sample_type` selects. */
export function branchFilterNames(attr: Pick<EventAttr, 'branchSampleType'>): string[] {
  return BRANCH_FILTERS.filter(([bit]) => (attr.branchSampleType >>> bit) & 1).map(([, name]) => name);
}

/** Bits of `sample_type` (Linux, include/uapi/linux/perf_event.h) up to the branch stack. */
export const SampleField = {
  ip: 1 << 0,
  tid: 1 << 1,
  time: 1 << 2,
  addr: 1 << 3,
  read: 1 << 4,
  callchain: 1 << 5,
  id: 1 << 6,
  cpu: 1 << 7,
  period: 1 << 8,
  streamId: 1 << 9,
  raw: 1 << 10,
  branchStack: 1 << 11,
  identifier: 1 << 16,
} as const;

/** Bits of `read_format`. */
export const ReadFormat = { enabled: 1, running: 2, id: 4, group: 8, lost: 16 } as const;

/** Bit of `branch_sample_type`: the ring index of the CPU precedes the entries. */
export const BRANCH_HW_INDEX = 1 << 17;

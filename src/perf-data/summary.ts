/** One event of a recording. */
export interface EventSummary {
  /** As recorded, or the generic name of its type and config. */
  name: string;
  /** PERF_TYPE_*. */
  type: number;
  /** Hexadecimal, with 0x. */
  config: string;
  /** Events from sample to sample, or undefined if the kernel chose it to meet `frequency`. */
  period: bigint | undefined;
  /** Samples a second that were asked for. */
  frequency: bigint | undefined;
  /** What the branch stack holds, as `perf record -j` names it; empty for stacks that perf itself synthesized. */
  branchFilter: string[];
  /** Samples of it, without those that are too short to be read. */
  samples: bigint;
  /** Samples with at least one branch entry. */
  branchSamples: bigint;
  /** Branch entries, unfilled slots included. */
  branchEntries: bigint;
}

/** A mapped file, or the kernel. */
export interface ImageSummary {
  path: string;
  /** Hexadecimal digits; undefined when the recording does not tell. */
  buildId: string | undefined;
  /** Samples whose instruction pointer lies in it. */
  samples: bigint;
}

/** What is in a perf.data, and whether a profile can be made of it. Counts are `bigint`, numbers of things are `number`. */
export interface PerfDataSummary {
  file: string;
  endian: 'little' | 'big';
  version: 1 | 2;
  /** A stream of `perf record -o -`. */
  pipe: boolean;
  /** A directory of `perf record --threads`. */
  directory: boolean;
  /** Has compressed records (`perf record -z`). */
  compressed: boolean;
  /** False where the file ends early, or could not be read to its end. */
  complete: boolean;
  /** What is damaged or could not be read. */
  problems: string[];
  samples: bigint;
  mmaps: number;
  /** Samples with at least one branch entry. */
  branchSamples: bigint;
  /** Branch entries, unfilled slots included. */
  branchEntries: bigint;
  /** Most entries of one sample. */
  branchDepth: number;
  /**
   * What the kernel could not deliver: told in LOST records while it happened, and counted together for each event in the LOST_SAMPLES that
   * perf 6.1 and later writes at the end. Both tell of the same losses.
   */
  lost: { records: bigint; samples: bigint };
  /** Samples that belong to no known event, and samples too short for what they should hold. */
  unreadable: { unknownEvent: bigint; tooShort: bigint };
  /** First and last time stamp of a sample in seconds of the recording's clock, as perf prints them. */
  timeSpan: { first: string; last: string } | undefined;
  events: EventSummary[];
  /** Their names alone. */
  eventNames: string[];
  /** Build id and path of every image that has one, sorted. */
  buildIds: [id: string, path: string][];
  /** Mapped images, those with most samples first. */
  images: ImageSummary[];
  machine: {
    hostname: string | undefined;
    osRelease: string | undefined;
    arch: string | undefined;
    cpu: string | undefined;
    cpuId: string | undefined;
    cpus: number | undefined;
    /** Depth of the CPU's branch stack as its PMU reports it. */
    branchStackDepth: number | undefined;
  };
  perfVersion: string | undefined;
  commandLine: string[] | undefined;
  /** Whether a profile can be made of it, why not, and how to record one that can. */
  autofdo: { usable: boolean; reasons: string[]; advice: string | undefined };
}

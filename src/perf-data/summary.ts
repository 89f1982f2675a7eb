/** One event of a recording. */
export interface EventSummary {
  /** Name in the recording, or the generic name of the type and config. */
  name: string;
  /** Type of the event, PERF_TYPE_*. */
  type: number;
  /** Config of the event in hexadecimal digits, with 0x. */
  config: string;
  /** Number of events from sample to sample; undefined if the kernel chose the period to reach `frequency`. */
  period: bigint | undefined;
  /** Number of samples in a second that was asked for; undefined if a period was asked for. */
  frequency: bigint | undefined;
  /**
   * Branches that the branch stack holds, as `perf record -j` names them; empty if perf itself made the branch
   * stacks.
   */
  branchFilter: string[];
  /** Number of samples of the event, without samples that are too short to be read. */
  samples: bigint;
  /** Number of samples with at least one branch entry. */
  branchSamples: bigint;
  /** Number of branch entries, unfilled slots included. */
  branchEntries: bigint;
}

/** A mapped file, or the kernel. */
export interface ImageSummary {
  path: string;
  /** Build id in hexadecimal digits; undefined if the recording has none. */
  buildId: string | undefined;
  /** Number of samples whose instruction pointer lies in the image. */
  samples: bigint;
}

/**
 * The contents of a perf.data, and whether a profile can be made from it. Counts are `bigint`, numbers of things
 * are `number`.
 */
export interface PerfDataSummary {
  file: string;
  endian: 'little' | 'big';
  version: 1 | 2;
  /** True for a stream of `perf record -o -`. */
  pipe: boolean;
  /** True for a directory of `perf record --threads`. */
  directory: boolean;
  /** True if there are compressed records (`perf record -z`). */
  compressed: boolean;
  /** False if the file ends early, or could not be read to its end. */
  complete: boolean;
  /** Parts of the recording that are damaged or could not be read. */
  problems: string[];
  samples: bigint;
  mmaps: number;
  /** Number of samples with at least one branch entry. */
  branchSamples: bigint;
  /** Number of branch entries, unfilled slots included. */
  branchEntries: bigint;
  /** Largest number of entries in one sample. */
  branchDepth: number;
  /**
   * Number of records and samples that the kernel could not deliver. LOST records tell them while they happen.
   * LOST_SAMPLES records, which perf 6.1 and later writes at the end, count them for each event. Both tell of the
   * same losses.
   */
  lost: { records: bigint; samples: bigint };
  /**
   * Number of samples that belong to no known event, and number of samples that are too short for their fields.
   */
  unreadable: { unknownEvent: bigint; tooShort: bigint };
  /** First and last time stamp of a sample, in seconds of the recording's clock, as perf prints them. */
  timeSpan: { first: string; last: string } | undefined;
  events: EventSummary[];
  /** The names of the events. */
  eventNames: string[];
  /** Build id and path of every image with a build id, sorted. */
  buildIds: [id: string, path: string][];
  /** The mapped images; the image with the most samples first. */
  images: ImageSummary[];
  machine: {
    hostname: string | undefined;
    osRelease: string | undefined;
    arch: string | undefined;
    cpu: string | undefined;
    cpuId: string | undefined;
    cpus: number | undefined;
    /** Depth of the CPU's branch stack, as its PMU reports it. */
    branchStackDepth: number | undefined;
  };
  perfVersion: string | undefined;
  commandLine: string[] | undefined;
  /**
   * Whether a profile can be made from the recording, the reasons if not, and how to make a recording that can be
   * used.
   */
  autofdo: { usable: boolean; reasons: string[]; advice: string | undefined };
}

import type Long from 'long';
import { decodeBuildId, imageName } from '../../src/perf-data/build-id.js';
import { cString, TruncatedError } from '../../src/perf-data/cursor.js';
import { decodeEventAttr, type EventAttr } from '../../src/perf-data/event-attr.js';
import { decodeFeature } from '../../src/perf-data/features.js';
import { FileFacts } from '../../src/perf-data/file-facts.js';
import type { PerfDataHeader } from '../../src/perf-data/header.js';
import { FIRST_ATTR_SIZE } from '../../src/perf-data/structs.js';
import type { PerfDataSummary } from '../../src/perf-data/summary.js';
import { u64, u64AsNumber } from '../../src/perf-data/u64.js';
import { judge } from '../../src/perf-data/verdict.js';
import { address } from './address.js';
import { AddressSpaces } from './address-space.js';
import { EventTable, trailerTimeFromEnd } from './event-table.js';
import { type PerfRecord, RecordType } from './record.js';
import { BRANCH_ENTRY_SIZE, decodeSample } from './sample.js';
import { TimeOrder } from './time-order.js';
import { WrappingSum } from './wrapping-sum.js';

const CPU_MODE_MASK = 7;
/**
 * Bit of misc. MMAP: the mapping is data. FORK: perf made the record from /proc. Bit 14 of MMAP2: the record has a
 * build id.
 */
const MISC_DATA = 1 << 13;
/** Bit of misc in LOST_SAMPLES: a BPF filter left the samples out, so nothing was lost. */
const MISC_LOST_SAMPLES_BPF = 1 << 15;
const MISC_BUILD_ID = 1 << 14;
const PROT_EXEC = 4;
const MAX_BUILD_ID_SIZE = 20;
const MMAP_NAME = 32;
const MMAP2_NAME = 64;

/** The findings of the oracle: the description for users, and sums of addresses. */
export interface OracleSummary extends PerfDataSummary {
  /** Sum of the source addresses of all entries modulo 2^64, as 16 hexadecimal digits. */
  branchFromSum: string;
  /** Sum of the target addresses of all entries modulo 2^64, as 16 hexadecimal digits. */
  branchToSum: string;
}

type TimedEvent =
  | { kind: 'map'; pid: number; mode: number; start: number; end: number; path: string }
  | { kind: 'fork'; pid: number; parent: number }
  | { kind: 'sample'; pid: number; mode: number; ip: number };

interface EventCounts {
  samples: number;
  branchSamples: number;
  branchEntries: number;
}

/** Counts the contents of a recording's records. */
export class RecordCollector extends FileFacts {
  override readonly events = new EventTable();
  compressed = false;

  readonly #spaces = new AddressSpaces();
  readonly #order = new TimeOrder<TimedEvent>((event) => this.#apply(event));
  readonly #images = new Map<string, number>();
  readonly #mmapBuildIds = new Map<string, string>();
  readonly #counts = new Map<EventAttr, EventCounts>();
  readonly #fromSum = new WrappingSum();
  readonly #toSum = new WrappingSum();
  #samples = 0;
  #mmaps = 0;
  #branchSamples = 0;
  #branchEntries = 0;
  #branchDepth = 0;
  #lostRecords = 0n;
  #lostSamples = 0n;
  #unknownEvent = 0;
  #tooShort = 0;
  #firstTime: Long | undefined;
  #lastTime: Long | undefined;

  record(record: PerfRecord): void {
    try {
      this.#dispatch(record);
    } catch (error) {
      // If a record is too short for its type, its size still leads to the next record.
      if (!(error instanceof RangeError || error instanceof TruncatedError)) throw error;
      this.problem(`a record of type ${record.type} is too short`);
    }
  }

  #dispatch(record: PerfRecord): void {
    const { type, view, body, misc } = record;
    switch (type) {
      case RecordType.sample:
        this.#sample(record);
        break;
      case RecordType.mmap:
      case RecordType.mmap2:
        this.#mmap(record);
        break;
      case RecordType.fork: {
        const pid = view.getUint32(0, this.littleEndian);
        const parent = view.getUint32(4, this.littleEndian);
        if (!(misc & MISC_DATA)) this.#order.push(this.#trailerTime(view), { kind: 'fork', pid, parent });
        break;
      }
      case RecordType.lost:
        this.#lostRecords += exact(u64(view, 8, this.littleEndian));
        break;
      case RecordType.lostSamples:
        if (!(misc & MISC_LOST_SAMPLES_BPF)) this.#lostSamples += exact(u64(view, 0, this.littleEndian));
        break;
      case RecordType.finishedRound:
        this.#order.finishRound();
        break;
      case RecordType.headerAttr:
        this.#headerAttr(record);
        break;
      case RecordType.headerEventType:
        this.events.nameType(u64AsNumber(view, 0, this.littleEndian), cString(body.subarray(8)));
        break;
      case RecordType.headerBuildId:
        this.features.buildIds.push(decodeBuildId(body, misc));
        break;
      case RecordType.eventUpdate: {
        const kindOfName = 2;
        if (u64AsNumber(view, 0, this.littleEndian) !== kindOfName) break;
        this.events.nameId(u64AsNumber(view, 8, this.littleEndian), cString(body.subarray(16)));
        break;
      }
      case RecordType.headerFeature:
        this.#headerFeature(record);
        break;
    }
  }

  #headerAttr({ view, body }: PerfRecord): void {
    const size = view.getUint32(4, this.littleEndian) || FIRST_ATTR_SIZE;
    if (size < FIRST_ATTR_SIZE || size > body.length) {
      throw new TruncatedError(`an attr of ${size} bytes in ${body.length}`);
    }
    const ids: number[] = [];
    for (let at = size; at + 8 <= body.length; at += 8) ids.push(u64AsNumber(view, at, this.littleEndian));
    this.events.add(decodeEventAttr(body.subarray(0, size), this.littleEndian, ids));
    this.events.adoptIds(this.features.eventDescriptions);
  }

  #headerFeature({ view, body }: PerfRecord): void {
    const feature = u64AsNumber(view, 0, this.littleEndian);
    if (!decodeFeature(this.features, feature, body.subarray(8), this.littleEndian)) {
      this.problem(`its feature section ${feature} is damaged`);
    }
    this.events.adoptIds(this.features.eventDescriptions);
  }

  #mmap({ type, misc, view, body }: PerfRecord): void {
    this.#mmaps++;
    const isMmap2 = type === RecordType.mmap2;
    const path = cString(body.subarray(isMmap2 ? MMAP2_NAME : MMAP_NAME));
    const hasBuildId = isMmap2 && (misc & MISC_BUILD_ID) !== 0;
    if (hasBuildId && !this.#mmapBuildIds.has(path)) this.#mmapBuildIds.set(path, decodeMmapBuildId(body));
    const executable = isMmap2
      ? (view.getUint32(56, this.littleEndian) & PROT_EXEC) !== 0
      : (misc & MISC_DATA) === 0;
    const mode = misc & CPU_MODE_MASK;
    if (!executable && mode !== 1) return;
    const start = address(view, 8, this.littleEndian);
    const end = start + u64AsNumber(view, 16, this.littleEndian);
    const pid = view.getUint32(0, this.littleEndian);
    this.#order.push(this.#trailerTime(view), { kind: 'map', pid, mode, start, end, path });
  }

  #sample({ view, misc }: PerfRecord): void {
    this.#samples++;
    const event = this.events.ofSample(view, this.littleEndian);
    if (event === undefined) {
      this.#unknownEvent++;
      return;
    }
    const counts = this.#countsOf(event);
    const sample = decodeSample(view, event, this.littleEndian);
    if (sample === undefined) {
      this.#tooShort++;
      return;
    }
    counts.samples++;
    const { time = 0, ip, pid, branches } = sample;
    if (sample.time !== undefined) this.#noteTime(u64(view, sample.timeAt, this.littleEndian));
    if (ip !== undefined && pid !== undefined) {
      this.#order.push(time, { kind: 'sample', pid, mode: misc & CPU_MODE_MASK, ip });
    }
    if (branches === undefined || branches.count === 0) return;
    this.#branchSamples++;
    this.#branchEntries += branches.count;
    this.#branchDepth = Math.max(this.#branchDepth, branches.count);
    counts.branchSamples++;
    counts.branchEntries += branches.count;
    this.#sumBranches(view, branches.offset, branches.count);
  }

  /**
   * Keeps exact times: nanoseconds since 1970, or of a machine that has run for more than 104 days, exceed 2^53.
   */
  #noteTime(time: Long): void {
    if (this.#firstTime === undefined || time.lessThan(this.#firstTime)) this.#firstTime = time;
    if (this.#lastTime === undefined || time.greaterThan(this.#lastTime)) this.#lastTime = time;
  }

  #sumBranches(view: DataView, offset: number, count: number): void {
    const { littleEndian } = this;
    const [low, high] = littleEndian ? [0, 4] : [4, 0];
    for (let at = offset; at < offset + count * BRANCH_ENTRY_SIZE; at += BRANCH_ENTRY_SIZE) {
      this.#fromSum.add(view.getUint32(at + low, littleEndian), view.getUint32(at + high, littleEndian));
      this.#toSum.add(
        view.getUint32(at + 8 + low, littleEndian),
        view.getUint32(at + 8 + high, littleEndian),
      );
    }
  }

  #countsOf(event: EventAttr): EventCounts {
    let counts = this.#counts.get(event);
    if (counts === undefined) {
      counts = { samples: 0, branchSamples: 0, branchEntries: 0 };
      this.#counts.set(event, counts);
    }
    return counts;
  }

  #trailerTime(view: DataView): number {
    const event = this.events.ofOther(view, this.littleEndian);
    const fromEnd = event && trailerTimeFromEnd(event);
    if (fromEnd === undefined || fromEnd > view.byteLength) return 0;
    const time = u64AsNumber(view, view.byteLength - fromEnd, this.littleEndian);
    // A time with all bits set is unknown. Time 0 means that the record holds from the start on, and is used for
    // unknown times, too.
    return time >= 2 ** 64 ? 0 : time;
  }

  #apply(event: TimedEvent): void {
    switch (event.kind) {
      case 'map': {
        const { pid, mode, start, end, path } = event;
        this.#spaces.map(pid, mode, { start, end, path });
        const name = imageName(path);
        if (!this.#images.has(name)) this.#images.set(name, 0);
        break;
      }
      case 'fork':
        this.#spaces.fork(event.pid, event.parent);
        break;
      case 'sample': {
        const path = this.#spaces.imageAt(event.pid, event.mode, event.ip);
        if (path !== undefined) this.#images.set(path, (this.#images.get(path) ?? 0) + 1);
        break;
      }
    }
  }

  /** Returns the findings after all records were given. */
  summary(file: string, header: PerfDataHeader, directory: boolean): OracleSummary {
    this.#order.finish();
    const buildIds = this.#buildIds();
    const idOf = new Map(buildIds.map(([id, path]) => [path, id]));
    const summary: Omit<OracleSummary, 'autofdo'> = {
      ...this.describe(file, header, directory, (event) => {
        const { samples, branchSamples, branchEntries } = this.#countsOf(event);
        return {
          samples: BigInt(samples),
          branchSamples: BigInt(branchSamples),
          branchEntries: BigInt(branchEntries),
        };
      }),
      compressed: this.compressed,
      samples: BigInt(this.#samples),
      mmaps: this.#mmaps,
      branchSamples: BigInt(this.#branchSamples),
      branchEntries: BigInt(this.#branchEntries),
      branchFromSum: this.#fromSum.toString(),
      branchToSum: this.#toSum.toString(),
      branchDepth: this.#branchDepth,
      lost: { records: this.#lostRecords, samples: this.#lostSamples },
      unreadable: { unknownEvent: BigInt(this.#unknownEvent), tooShort: BigInt(this.#tooShort) },
      timeSpan:
        this.#firstTime && this.#lastTime
          ? { first: formatTime(this.#firstTime), last: formatTime(this.#lastTime) }
          : undefined,
      buildIds,
      images: [...this.#images]
        .sort(([a, inA], [b, inB]) => inB - inA || (a < b ? -1 : 1))
        .map(([path, samples]) => ({ path, buildId: idOf.get(path), samples: BigInt(samples) })),
    };
    return { ...summary, autofdo: judge(summary) };
  }

  #buildIds(): [id: string, path: string][] {
    const ids = new Map<string, [string, string]>();
    for (const { id, path } of this.features.buildIds) ids.set(`${id} ${path}`, [id, path]);
    for (const [path, id] of this.#mmapBuildIds) ids.set(`${id} ${imageName(path)}`, [id, imageName(path)]);
    return [...ids.keys()].sort().map((key) => ids.get(key) as [string, string]);
  }
}

/** Returns an unsigned 64-bit number as a bigint. */
function exact(value: Long): bigint {
  return BigInt(value.toString());
}

/** Writes nanoseconds as perf prints them: seconds with nine decimals. */
function formatTime(nanoseconds: Long): string {
  const digits = nanoseconds.toString().padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** Decodes the build id of an MMAP2 record, which replaces the inode if misc bit 14 is set. */
function decodeMmapBuildId(body: Uint8Array): string {
  const size = Math.min(body[32] ?? 0, MAX_BUILD_ID_SIZE);
  return Buffer.from(body.subarray(36, 36 + size)).toString('hex');
}

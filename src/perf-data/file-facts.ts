import { branchFilterNames, type EventAttr } from './event-attr.js';
import { EventTable } from './event-table.js';
import { type Features, noFeatures } from './features.js';
import type { PerfDataHeader } from './header.js';
import type { EventSummary, PerfDataSummary } from './summary.js';

const MAX_PROBLEMS = 20;

/** The fields of a description that do not depend on the records, and the events, whose numbers do. */
type Described = Pick<
  PerfDataSummary,
  | 'file'
  | 'endian'
  | 'version'
  | 'pipe'
  | 'directory'
  | 'complete'
  | 'problems'
  | 'events'
  | 'eventNames'
  | 'machine'
  | 'perfVersion'
  | 'commandLine'
>;

/** Facts that a recording holds outside of its records, as they are read. */
export class FileFacts {
  readonly littleEndian: boolean;
  readonly events: EventTable = new EventTable();
  readonly features: Features = noFeatures();
  readonly problems: string[] = [];
  complete = true;

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  /** Notes that records or facts are missing at the end. The recording is then incomplete. */
  endsEarly(text: string): void {
    this.complete = false;
    this.problem(text);
  }

  /** Notes something that cannot be read, although what follows can be read. */
  problem(text: string): void {
    if (this.problems.length < MAX_PROBLEMS && !this.problems.includes(text)) this.problems.push(text);
  }

  /**
   * Returns the facts as a description. `countsOf` returns the numbers of an event, which come from the records.
   */
  describe(
    file: string,
    header: PerfDataHeader,
    directory: boolean,
    countsOf: (event: EventAttr) => Pick<EventSummary, 'samples' | 'branchSamples' | 'branchEntries'>,
  ): Described {
    const { features, events } = this;
    const eventNames = events.names(features.eventDescriptions);
    return {
      file,
      endian: header.littleEndian ? 'little' : 'big',
      version: header.version,
      pipe: header.pipe,
      directory,
      complete: this.complete,
      problems: this.problems,
      events: events.events.map((event, index) => ({
        name: eventNames[index] ?? '',
        type: event.type,
        config: `0x${event.config.toString(16)}`,
        period: event.isFrequency ? undefined : BigInt(event.samplePeriod.toString()),
        frequency: event.isFrequency ? BigInt(event.samplePeriod.toString()) : undefined,
        branchFilter: branchFilterNames(event),
        ...countsOf(event),
      })),
      eventNames,
      machine: {
        hostname: features.hostname,
        osRelease: features.osRelease,
        arch: features.arch,
        cpu: features.cpuDescription,
        cpuId: features.cpuId,
        cpus: features.cpus?.online,
        branchStackDepth: Number(features.pmuCapabilities['cpu']?.['branches']) || undefined,
      },
      perfVersion: features.perfVersion,
      commandLine: features.commandLine,
    };
  }
}

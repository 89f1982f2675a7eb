import { type EventAttr, SampleField } from './event-attr.js';
import type { Features } from './features.js';
import { u64AsNumber } from './u64.js';

const HARDWARE_EVENTS = [
  'cycles',
  'instructions',
  'cache-references',
  'cache-misses',
  'branches',
  'branch-misses',
  'bus-cycles',
  'stalled-cycles-frontend',
  'stalled-cycles-backend',
  'ref-cycles',
];

const SOFTWARE_EVENTS = [
  'cpu-clock',
  'task-clock',
  'page-faults',
  'context-switches',
  'cpu-migrations',
  'minor-faults',
  'major-faults',
  'alignment-faults',
  'emulation-faults',
  'dummy',
  'bpf-output',
  'cgroup-switches',
];

/** The events of a recording, and which of them a record belongs to. */
export class EventTable {
  readonly #events: EventAttr[] = [];
  readonly #byId = new Map<number, EventAttr>();
  /** Names from the obsolete event_types section, by config. */
  readonly #typeNames = new Map<number, string>();
  /** Names from EVENT_UPDATE records, by id. */
  readonly #updatedNames = new Map<number, string>();

  get events(): readonly EventAttr[] {
    return this.#events;
  }

  add(attr: EventAttr): void {
    this.#events.push(attr);
    for (const id of attr.ids) this.#byId.set(id, attr);
  }

  nameType(config: number, name: string): void {
    this.#typeNames.set(config, name);
  }

  nameId(id: number, name: string): void {
    this.#updatedNames.set(id, name);
  }

  /** Ids that only EVENT_DESC tells: some perf versions wrote attrs into pipes without them. */
  adoptIds(descriptions: Features['eventDescriptions']): void {
    if (descriptions.length !== this.#events.length) return;
    for (const [index, event] of this.#events.entries()) {
      if (event.ids.length > 0) continue;
      event.ids = descriptions[index]?.ids ?? [];
      for (const id of event.ids) this.#byId.set(id, event);
    }
  }

  /** The event of a sample, undefined when its id is in no table. */
  ofSample(body: DataView, littleEndian: boolean): EventAttr | undefined {
    const [first] = this.#events;
    if (first === undefined || this.#events.length === 1) return first;
    // All events of a file agree on the place of the id, or perf could not read it either.
    const position = sampleIdPosition(first.sampleType);
    if (position === undefined) return first;
    if (body.byteLength < position + 8) return undefined;
    return this.#lookUp(u64AsNumber(body, position, littleEndian), first);
  }

  /** The event of a record that is no sample; decides how its trailer is laid out. */
  ofOther(body: DataView, littleEndian: boolean): EventAttr | undefined {
    const [first] = this.#events;
    if (first === undefined || this.#events.length === 1 || !first.sampleIdAll) return first;
    const fromEnd = trailerIdFromEnd(first.sampleType);
    if (fromEnd === undefined || body.byteLength < fromEnd) return first;
    return this.#lookUp(u64AsNumber(body, body.byteLength - fromEnd, littleEndian), first) ?? first;
  }

  /** Synthesized records carry id 0 and belong to the first event. */
  #lookUp(id: number, first: EventAttr): EventAttr | undefined {
    return id === 0 ? first : (this.#byId.get(id) ?? (this.#byId.size === 0 ? first : undefined));
  }

  /** A name for each event: the recorded one, else the generic one of its type and config. */
  names(descriptions: Features['eventDescriptions']): string[] {
    const described = new Map(descriptions.flatMap(({ name, ids }) => ids.map((id) => [id, name] as const)));
    const sameOrder = descriptions.length === this.#events.length;
    return this.#events.map((event, index) => {
      for (const id of event.ids) {
        const name = described.get(id) ?? this.#updatedNames.get(id);
        if (name !== undefined) return name;
      }
      const byOrder = sameOrder ? descriptions[index]?.name : undefined;
      return byOrder ?? this.#typeNames.get(event.config.toNumber()) ?? genericName(event);
    });
  }
}

function genericName({ type, config }: EventAttr): string {
  const names = [HARDWARE_EVENTS, SOFTWARE_EVENTS][type];
  // On hybrid machines the upper half of a generic event's config names the PMU.
  const name = names?.[config.getLowBitsUnsigned()];
  if (name !== undefined) return name;
  return type === 4 ? `r${config.toString(16)}` : `type ${type} config 0x${config.toString(16)}`;
}

function count(sampleType: number, fields: number[]): number {
  return fields.filter((field) => sampleType & field).length;
}

function sampleIdPosition(sampleType: number): number | undefined {
  if (sampleType & SampleField.identifier) return 0;
  if (!(sampleType & SampleField.id)) return undefined;
  const { ip, tid, time, addr } = SampleField;
  return 8 * count(sampleType, [ip, tid, time, addr]);
}

function trailerIdFromEnd(sampleType: number): number | undefined {
  if (sampleType & SampleField.identifier) return 8;
  if (!(sampleType & SampleField.id)) return undefined;
  return 8 * (1 + count(sampleType, [SampleField.cpu, SampleField.streamId]));
}

/** Bytes from the TIME of a record's trailer to the record's end, undefined when it has none. */
export function trailerTimeFromEnd({ sampleIdAll, sampleType }: EventAttr): number | undefined {
  if (!sampleIdAll || !(sampleType & SampleField.time)) return undefined;
  const { identifier, cpu, streamId, id } = SampleField;
  return 8 * (1 + count(sampleType, [identifier, cpu, streamId, id]));
}

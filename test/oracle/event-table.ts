import type { EventAttr } from '../../src/perf-data/event-attr.js';
import { EventTable as FileEvents } from '../../src/perf-data/event-table.js';
import type { Features } from '../../src/perf-data/features.js';
import { u64AsNumber } from '../../src/perf-data/u64.js';
import { SampleField } from './sample-fields.js';

/** The events of a recording. Finds the event of a record. */
export class EventTable extends FileEvents {
  readonly #byId = new Map<number, EventAttr>();

  override add(attr: EventAttr): void {
    super.add(attr);
    for (const id of attr.ids) this.#byId.set(id, attr);
  }

  override adoptIds(descriptions: Features['eventDescriptions']): void {
    super.adoptIds(descriptions);
    for (const event of this.events) for (const id of event.ids) this.#byId.set(id, event);
  }

  /** Returns the event of a sample, or `undefined` if the sample's id is in no table. */
  ofSample(body: DataView, littleEndian: boolean): EventAttr | undefined {
    const [first] = this.events;
    if (first === undefined || this.events.length === 1) return first;
    // All events of a file have the id at the same place. Otherwise perf could not read the id either.
    const position = sampleIdPosition(first.sampleType);
    if (position === undefined) return first;
    if (body.byteLength < position + 8) return undefined;
    return this.#lookUp(u64AsNumber(body, position, littleEndian), first);
  }

  /** Returns the event of a record that is not a sample. The event decides the layout of the record's trailer. */
  ofOther(body: DataView, littleEndian: boolean): EventAttr | undefined {
    const [first] = this.events;
    if (first === undefined || this.events.length === 1 || !first.sampleIdAll) return first;
    const fromEnd = trailerIdFromEnd(first.sampleType);
    if (fromEnd === undefined || body.byteLength < fromEnd) return first;
    return this.#lookUp(u64AsNumber(body, body.byteLength - fromEnd, littleEndian), first) ?? first;
  }

  /** Records that perf itself makes have id 0 and belong to the first event. */
  #lookUp(id: number, first: EventAttr): EventAttr | undefined {
    return id === 0 ? first : (this.#byId.get(id) ?? (this.#byId.size === 0 ? first : undefined));
  }
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

/**
 * Returns the number of bytes from the TIME field of a record's trailer to the record's end, or `undefined` if
 * there is no such field.
 */
export function trailerTimeFromEnd({ sampleIdAll, sampleType }: EventAttr): number | undefined {
  if (!sampleIdAll || !(sampleType & SampleField.time)) return undefined;
  const { identifier, cpu, streamId, id } = SampleField;
  return 8 * (1 + count(sampleType, [identifier, cpu, streamId, id]));
}

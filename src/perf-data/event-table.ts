import type { EventAttr } from './event-attr.js';
import type { Features } from './features.js';

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

/** The events of a recording, and their names. */
export class EventTable {
  readonly #events: EventAttr[] = [];
  /** Names from records of the recording, by id. */
  readonly #updatedNames = new Map<number, string>();
  /** Names from the obsolete event_types section, by config. */
  readonly #typeNames = new Map<number, string>();

  get events(): readonly EventAttr[] {
    return this.#events;
  }

  add(attr: EventAttr): void {
    this.#events.push(attr);
  }

  nameType(config: number, name: string): void {
    this.#typeNames.set(config, name);
  }

  nameId(id: number, name: string): void {
    this.#updatedNames.set(id, name);
  }

  /** Adds ids that only EVENT_DESC has. Some versions of perf wrote attrs without ids into pipes. */
  adoptIds(descriptions: Features['eventDescriptions']): void {
    if (descriptions.length !== this.#events.length) return;
    for (const [index, event] of this.#events.entries()) {
      if (event.ids.length > 0) continue;
      event.ids = descriptions[index]?.ids ?? [];
    }
  }

  /** Returns a name for each event: the recorded name, or the generic name of its type and config. */
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
  // On hybrid machines the upper half of a generic event's config is the type of the PMU.
  const name = names?.[config.getLowBitsUnsigned()];
  if (name !== undefined) return name;
  return type === 4 ? `r${config.toString(16)}` : `type ${type} config 0x${config.toString(16)}`;
}

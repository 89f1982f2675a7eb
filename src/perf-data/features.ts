import { type BuildId, decodeBuildIds } from './build-id.js';
import { Cursor, TruncatedError } from './cursor.js';
import { decodeEventAttr, type EventAttr } from './event-attr.js';

/** Numbers of the feature sections that are decoded (perf: tools/perf/util/header.h, `enum { HEADER_... }`). */
const Feature = {
  buildId: 2,
  hostname: 3,
  osRelease: 4,
  version: 5,
  arch: 6,
  nrCpus: 7,
  cpuDesc: 8,
  cpuId: 9,
  cmdline: 11,
  eventDesc: 12,
  compressed: 27,
  cpuPmuCaps: 28,
  pmuCaps: 31,
} as const;

/**
 * Facts that a recording holds about itself. Every fact is optional, because damaged or missing sections are left
 * out.
 */
export interface Features {
  hostname?: string;
  osRelease?: string;
  perfVersion?: string;
  arch?: string;
  cpus?: { available: number; online: number };
  cpuDescription?: string;
  cpuId?: string;
  commandLine?: string[];
  /** Names of events, with the attr and the ids of each event. */
  eventDescriptions: { name: string; attr: EventAttr; ids: number[] }[];
  buildIds: BuildId[];
  /** True if records are compressed (`perf record -z`). */
  compressed: boolean;
  /** Capabilities of each PMU. For example, `branches` is the depth of its branch stack. */
  pmuCapabilities: Record<string, Record<string, string>>;
}

/** Returns features without any fact. */
export function noFeatures(): Features {
  return { eventDescriptions: [], buildIds: [], compressed: false, pmuCapabilities: {} };
}

/** Decodes one section into `features`. Returns false if the section is damaged. */
export function decodeFeature(
  features: Features,
  feature: number,
  section: Uint8Array,
  littleEndian: boolean,
): boolean {
  // A section without bytes is valid: some features are only flags.
  if (section.length === 0) return true;
  try {
    decode(features, feature, section, littleEndian);
    return true;
  } catch (error) {
    if (error instanceof TruncatedError) return false;
    throw error;
  }
}

function decode(features: Features, feature: number, section: Uint8Array, littleEndian: boolean): void {
  const cursor = new Cursor(section, littleEndian);
  switch (feature) {
    case Feature.buildId:
      features.buildIds = features.buildIds.concat(decodeBuildIds(section, littleEndian));
      break;
    case Feature.hostname:
      features.hostname = cursor.string();
      break;
    case Feature.osRelease:
      features.osRelease = cursor.string();
      break;
    case Feature.version:
      features.perfVersion = cursor.string();
      break;
    case Feature.arch:
      features.arch = cursor.string();
      break;
    case Feature.nrCpus:
      features.cpus = { available: cursor.u32(), online: cursor.u32() };
      break;
    case Feature.cpuDesc:
      features.cpuDescription = cursor.string();
      break;
    case Feature.cpuId:
      features.cpuId = cursor.string();
      break;
    case Feature.cmdline:
      features.commandLine = repeat(cursor, cursor.u32(), 4, () => cursor.string());
      break;
    case Feature.eventDesc:
      features.eventDescriptions = [];
      decodeEventDescriptions(cursor, littleEndian, features.eventDescriptions);
      break;
    case Feature.compressed:
      features.compressed = true;
      break;
    case Feature.cpuPmuCaps:
      features.pmuCapabilities['cpu'] = decodeCapabilities(cursor);
      break;
    case Feature.pmuCaps:
      for (let left = cursor.u32(); left > 0; left--) {
        const capabilities = decodeCapabilities(cursor);
        features.pmuCapabilities[cursor.string()] = capabilities;
      }
      break;
  }
}

/** Appends each event to `found` when it is read, so that damage loses only the events after it. */
function decodeEventDescriptions(
  cursor: Cursor,
  littleEndian: boolean,
  found: Features['eventDescriptions'],
): void {
  const count = cursor.u32();
  const attrSize = cursor.u32();
  while (found.length < count) {
    const attr = decodeEventAttr(cursor.bytes(attrSize), littleEndian, []);
    const idCount = cursor.u32();
    const name = cursor.string();
    found.push({ name, attr, ids: repeat(cursor, idCount, 8, () => cursor.u64AsNumber()) });
  }
}

function decodeCapabilities(cursor: Cursor): Record<string, string> {
  const count = cursor.u32();
  // The object has no prototype, because a name comes from the file and may be any text.
  const capabilities: Record<string, string> = Object.create(null);
  for (const [name, value] of repeat(cursor, count, 8, () => [cursor.string(), cursor.string()] as const)) {
    capabilities[name] = value;
  }
  return capabilities;
}

/**
 * Calls `read` `count` times. First checks that the section has room for `count` items of at least `leastSize`
 * bytes.
 */
function repeat<T>(cursor: Cursor, count: number, leastSize: number, read: () => T): T[] {
  if (count * leastSize > cursor.remaining)
    throw new TruncatedError(`${count} items in ${cursor.remaining} bytes`);
  return Array.from({ length: count }, read);
}

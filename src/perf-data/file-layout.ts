import { cString } from './cursor.js';
import { decodeEventAttr } from './event-attr.js';
import { decodeFeature } from './features.js';
import type { FileFacts } from './file-facts.js';
import type { PerfDataHeader } from './header.js';
import type { ByteSource } from './source.js';
import { FIRST_ATTR_SIZE, parseSection, SECTION_SIZE } from './structs.js';
import { u64AsNumber } from './u64.js';

/** Largest section that is read, in bytes. The attrs, ids and features that are decoded here are much smaller. */
const MAX_SECTION_SIZE = 1 << 26;
/** Size of an entry of the obsolete event_types section: u64 config, char name[64]. */
const EVENT_TYPE_SIZE = 72;

/** Reads the attrs of a file with their ids, and the names that very old versions of perf stored apart. */
export async function readFileAttrs(
  source: ByteSource,
  header: PerfDataHeader,
  facts: FileFacts,
): Promise<void> {
  const { attrs, attrEntrySize, littleEndian } = header;
  const attrSize = attrEntrySize - SECTION_SIZE;
  if (attrSize < FIRST_ATTR_SIZE) {
    facts.endsEarly(`its attr entries have the impossible size ${attrEntrySize}`);
    return;
  }
  const section = (await readSection(source, attrs.offset, attrs.size)).slice();
  if (section.length < attrs.size) facts.endsEarly('its attr section is cut');
  // The ids of different attrs never share bytes of the file, so all ids together fit into the file.
  let idBytes = source.size ?? MAX_SECTION_SIZE;
  for (let at = 0; at + attrEntrySize <= section.length; at += attrEntrySize) {
    const ids = parseSection(section.subarray(at + attrSize, at + attrEntrySize), littleEndian);
    idBytes -= ids.size;
    if (idBytes < 0) {
      facts.endsEarly('its event ids do not fit the file');
      return;
    }
    const idSection = await readSection(source, ids.offset, ids.size);
    if (idSection.length < ids.size) facts.endsEarly('its event ids are cut');
    const view = new DataView(idSection.buffer, idSection.byteOffset, idSection.byteLength);
    const numbers = Array.from({ length: Math.floor(idSection.length / 8) }, (_, index) =>
      u64AsNumber(view, index * 8, littleEndian),
    );
    facts.events.add(decodeEventAttr(section.subarray(at, at + attrSize), littleEndian, numbers));
  }
  const types = await readSection(source, header.eventTypes.offset, header.eventTypes.size);
  if (types.length < header.eventTypes.size) return; // The section is obsolete and holds only names.
  const view = new DataView(types.buffer, types.byteOffset, types.byteLength);
  for (let at = 0; at + EVENT_TYPE_SIZE <= types.length; at += EVENT_TYPE_SIZE) {
    facts.events.nameType(
      u64AsNumber(view, at, littleEndian),
      cString(types.subarray(at + 8, at + EVENT_TYPE_SIZE)),
    );
  }
}

/** Reads the feature sections. Their table lies directly after the data. */
export async function readFeatures(
  source: ByteSource,
  header: PerfDataHeader,
  facts: FileFacts,
): Promise<void> {
  const { data, features, littleEndian } = header;
  const tableSize = features.length * SECTION_SIZE;
  const table = (await readSection(source, data.offset + data.size, tableSize)).slice();
  if (table.length < tableSize) facts.endsEarly('its feature table is cut');
  for (const [index, feature] of features.entries()) {
    const entry = table.subarray(index * SECTION_SIZE, (index + 1) * SECTION_SIZE);
    if (entry.length < SECTION_SIZE) break;
    const { offset, size } = parseSection(entry, littleEndian);
    const section = await readSection(source, offset, size);
    if (section.length < size) facts.endsEarly(`its feature section ${feature} is cut`);
    else if (!decodeFeature(facts.features, feature, section, littleEndian)) {
      facts.problem(`its feature section ${feature} is damaged`);
    }
  }
}

function readSection(source: ByteSource, offset: number, size: number): Promise<Uint8Array> {
  return source.read(offset, Math.min(size, MAX_SECTION_SIZE));
}

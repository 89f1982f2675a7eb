import { Cursor, cString, TruncatedError } from './cursor.js';

/** The build id of one mapped file. */
export interface BuildId {
  /** Build id in hexadecimal digits. */
  id: string;
  /** Path of the file in the recording; `[kernel.kallsyms]` for the kernel. */
  path: string;
}

const SIZE_VALID_MISC = 0x8000;
const MAX_ID_SIZE = 20;
const RECORD_HEADER_SIZE = 8;

/** Decodes the body of a HEADER_BUILD_ID record (type 67), or the body of an entry of the BUILD_ID feature. */
export function decodeBuildId(body: Uint8Array, misc: number, withoutPid = false): BuildId {
  if (withoutPid) {
    return { id: hex(body.subarray(0, MAX_ID_SIZE)), path: imageName(cString(body.subarray(24))) };
  }
  const cursor = new Cursor(body, true);
  cursor.bytes(4); // pid
  const id = cursor.bytes(MAX_ID_SIZE);
  const [size = MAX_ID_SIZE] = cursor.bytes(4);
  const valid = misc & SIZE_VALID_MISC ? Math.min(size, MAX_ID_SIZE) : MAX_ID_SIZE;
  return { id: hex(id.subarray(0, valid)), path: imageName(cString(cursor.bytes(cursor.remaining))) };
}

/** Decodes the BUILD_ID feature: records one after the other, whose type is not set. */
export function decodeBuildIds(section: Uint8Array, littleEndian: boolean): BuildId[] {
  const entries: { misc: number; body: Uint8Array }[] = [];
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  for (let at = 0; at + RECORD_HEADER_SIZE <= section.length; ) {
    const size = view.getUint16(at + 6, littleEndian);
    if (size < RECORD_HEADER_SIZE || at + size > section.length) break;
    const misc = view.getUint16(at + 4, littleEndian);
    entries.push({ misc, body: section.subarray(at + RECORD_HEADER_SIZE, at + size) });
    at += size;
  }
  // perf before 2.6.35 wrote no pid, so names start four bytes earlier. perf itself recognises such files by this
  // name.
  const withoutPid = entries.some(({ body }) => cString(body.subarray(28)) === 'nel.kallsyms]');
  return entries.flatMap(({ misc, body }) => {
    try {
      return [decodeBuildId(body, misc, withoutPid)];
    } catch (error) {
      if (error instanceof TruncatedError) return [];
      throw error;
    }
  });
}

/**
 * Returns the same name for every mapping of the kernel, whatever symbol the mapping is anchored at. Returns other
 * names unchanged.
 */
export function imageName(name: string): string {
  return name.startsWith('[kernel.kallsyms]') ? '[kernel.kallsyms]' : name;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

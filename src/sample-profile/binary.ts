import type { ByteReader } from './byte-reader.js';
import { readFunctions, readNameTable, readSummary } from './function-reader.js';
import type { Steps } from './steps.js';
import type { SampleProfile } from './types.js';

/**
 * Reads a profile in the raw binary form, after its magic number and version: the summary, the names, and the
 * functions up to the end.
 */
export function* readBinaryProfile(reader: ByteReader): Steps<SampleProfile> {
  const summary = readSummary(reader);
  const names = yield* readNameTable(reader);
  const functions = yield* readFunctions(reader, names);
  return {
    format: 'binary',
    functions,
    summary,
    contextSensitive: false,
    md5: false,
    flowSensitive: false,
    symbolList: [],
  };
}

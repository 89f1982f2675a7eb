import type { ByteReader } from './byte-reader.js';
import { readFunction, readNameTable, readSummary } from './function-reader.js';
import type { SampleProfile } from './types.js';

/** Reads what follows magic and version in the raw binary form: summary, names, functions to the end. */
export function readBinaryProfile(reader: ByteReader): SampleProfile {
  const summary = readSummary(reader);
  const names = readNameTable(reader);
  const functions = [];
  while (!reader.atEnd) functions.push(readFunction(reader, names));
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

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { Fixture } from './fixtures.js';

const DATA_SECTION_FIELD = 40;
const FEATURES_FIELD = 72;

/**
 * Writes the recording of a fixture with its records repeated up to `size` bytes, so that a test can watch a job
 * while the job runs.
 */
export function writeLargeRecording(fixture: Fixture, path: string, size: number): void {
  const whole = readFileSync(fixture.perfData);
  const offset = Number(whole.readBigUInt64LE(DATA_SECTION_FIELD));
  const records = whole.subarray(offset, offset + Number(whole.readBigUInt64LE(DATA_SECTION_FIELD + 8)));
  const times = Math.ceil(size / records.length);
  const head = Buffer.from(whole.subarray(0, offset));
  head.writeBigUInt64LE(BigInt(records.length * times), DATA_SECTION_FIELD + 8);
  head.fill(0, FEATURES_FIELD, FEATURES_FIELD + 32); // The feature sections are not copied.
  const file = openSync(path, 'w');
  try {
    writeSync(file, head);
    const block = Buffer.concat(Array.from({ length: Math.min(times, 64) }, () => records));
    for (let left = times; left > 0; left -= 64) {
      writeSync(file, block, 0, Math.min(left, 64) * records.length);
    }
  } finally {
    closeSync(file);
  }
}

import Long from 'long';
import type { ByteReader } from './byte-reader.js';
import { damagedProfile } from './profile-error.js';
import type { BodyRecord, FunctionSamples, InlinedFunction, ProfileSummary } from './types.js';

/** Inlined functions nest no deeper than this in anything a compiler makes. */
const MAX_DEPTH = 1000;

/** Layout: LLVM, SampleProfWriter.cpp, `writeSample`: head, then the body. */
export function readFunction(reader: ByteReader, names: readonly string[]): FunctionSamples {
  const head = reader.uleb();
  return readBody(reader, names, head, 0);
}

function readBody(reader: ByteReader, names: readonly string[], head: Long, depth: number): FunctionSamples {
  if (depth > MAX_DEPTH)
    throw damagedProfile(`offset ${reader.offset}`, `inlining more than ${MAX_DEPTH} deep`);
  const name = readName(reader, names);
  const total = reader.uleb();
  const body: BodyRecord[] = [];
  for (let left = reader.count('record count'); left > 0; left--) {
    const line = reader.u32('line');
    const discriminator = reader.u32('discriminator');
    const count = reader.uleb();
    const targets = [];
    for (let targetsLeft = reader.count('target count'); targetsLeft > 0; targetsLeft--) {
      targets.push({ name: readName(reader, names), count: reader.uleb() });
    }
    body.push({ line, discriminator, count, targets });
  }
  const inlined: InlinedFunction[] = [];
  for (let left = reader.count('inlinee count'); left > 0; left--) {
    const line = reader.u32('line');
    const discriminator = reader.u32('discriminator');
    inlined.push({ line, discriminator, samples: readBody(reader, names, Long.UZERO, depth + 1) });
  }
  return { name, total, head, body, inlined };
}

/** A name by its index in the name table. */
export function readName(reader: ByteReader, names: readonly string[]): string {
  return names[reader.ulebBelow(names.length, 'name index')] ?? '';
}

/** Layout: LLVM, SampleProfWriter.cpp, `writeSummary`. */
export function readSummary(reader: ByteReader): ProfileSummary {
  const totalCount = reader.uleb();
  const maxCount = reader.uleb();
  const maxFunctionCount = reader.uleb();
  const counts = reader.u32('number of counts');
  const functions = reader.u32('number of functions');
  const entries = [];
  for (let left = reader.count('number of cut-offs'); left > 0; left--) {
    entries.push({
      cutoff: reader.u32('cut-off'),
      minCount: reader.uleb(),
      counts: reader.u32('number of counts'),
    });
  }
  return { totalCount, maxCount, maxFunctionCount, counts, functions, entries };
}

/** A table of names, each with a NUL byte behind it. */
export function readNameTable(reader: ByteReader): string[] {
  return Array.from({ length: reader.count('number of names') }, () => reader.cString());
}

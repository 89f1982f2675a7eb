import { AutofdoError } from '../errors.js';
import { failureReason } from '../failure-reason.js';
import { ByteReader } from './byte-reader.js';
import {
  type Context,
  readContext,
  readContexts,
  readFunctions,
  readName,
  readNameTable,
  readSummary,
} from './function-reader.js';
import { damagedProfile, NEWER_LLVM } from './profile-error.js';
import { repeat, type Steps } from './steps.js';
import type { FunctionSamples, SampleProfile } from './types.js';

/** Types of sections (LLVM: SampleProf.h, `enum SecType`). */
const Section = {
  summary: 1,
  nameTable: 2,
  symbolList: 3,
  functionOffsets: 4,
  metadata: 5,
  contextNames: 6,
  functions: 32,
} as const;

const COMPRESSED_FLAG = 1;
const FLAT_FLAG = 2;
/** Flags that belong to one type of section. They are in the high word of a section's flags. */
const SUMMARY_FULL_CONTEXT = 2;
const SUMMARY_FLOW_SENSITIVE = 4;
const NAMES_MD5 = 1;
const NAMES_FIXED_LENGTH = 2;
const METADATA_PROBES = 1;
const METADATA_ATTRIBUTES = 2;

/**
 * The flags of single section types that LLVM 22 defines (LLVM: SampleProf.h). LLVM skips sections of other types,
 * so these may have any flags.
 */
const KNOWN_FLAGS: Readonly<Record<number, { name: string; flags: number }>> = {
  [Section.summary]: { name: 'ProfileSummarySection', flags: 1 | 2 | 4 | 16 | 32 },
  [Section.nameTable]: { name: 'NameTableSection', flags: 1 | 2 | 4 },
  [Section.symbolList]: { name: 'ProfileSymbolListSection', flags: 0 },
  [Section.functionOffsets]: { name: 'FuncOffsetTableSection', flags: 1 },
  [Section.metadata]: { name: 'FunctionMetadata', flags: 1 | 2 },
  [Section.contextNames]: { name: 'CSNameTableSection', flags: 0 },
  [Section.functions]: { name: 'LBRProfileSection', flags: 0 },
};

const LOW_WORD = 0xffff_ffffn;
const SECTION_HEADER_SIZE = 32;
/** Largest unpacked size of a compressed section, in bytes. */
const MAX_SECTION_SIZE = 1 << 30;

interface SectionEntry {
  type: number;
  flags: number;
  reader: ByteReader;
}

/**
 * Reads a profile in the extensible binary form, after its magic number and version. Layout: LLVM,
 * SampleProfWriter.cpp.
 */
export function* readExtBinaryProfile(bytes: Uint8Array, reader: ByteReader): Steps<SampleProfile> {
  const sections = yield* readSectionTable(bytes, reader);
  const only = (type: number) => sections.find((section) => section.type === type);
  const names = only(Section.nameTable);
  const md5 = ((names?.flags ?? 0) & (NAMES_MD5 | NAMES_FIXED_LENGTH)) !== 0;
  const nameTable = names === undefined ? [] : yield* readNames(names, md5);
  const summary = only(Section.summary);
  const contextSensitive = ((summary?.flags ?? 0) & SUMMARY_FULL_CONTEXT) !== 0;
  const contextNames = only(Section.contextNames)?.reader;
  const contexts = contextSensitive ? yield* readContexts(contextNames, nameTable) : undefined;
  const functions: FunctionSamples[] = [];
  // A profile has two function sections if functions without inlined code have a section of their own.
  for (const { type, reader: body } of sections) {
    if (type !== Section.functions) continue;
    for (const samples of yield* readFunctions(body, nameTable, contexts)) functions.push(samples);
  }
  const metadata = only(Section.metadata);
  if (metadata !== undefined) yield* readMetadata(metadata, nameTable, contexts, functions);
  const symbols = only(Section.symbolList)?.reader;
  const symbolList: string[] = [];
  while (symbols !== undefined && !symbols.atEnd) {
    symbolList.push(symbols.cString());
    yield;
  }
  return {
    format: 'extbinary',
    functions,
    summary: summary && readSummary(summary.reader),
    contextSensitive,
    md5,
    flowSensitive: ((summary?.flags ?? 0) & SUMMARY_FLOW_SENSITIVE) !== 0,
    symbolList,
  };
}

function* readSectionTable(bytes: Uint8Array, reader: ByteReader): Steps<SectionEntry[]> {
  const count = Number(reader.u64());
  if (count * SECTION_HEADER_SIZE > reader.remaining) {
    throw damagedProfile(`offset ${reader.offset}`, `a table of ${count} sections`);
  }
  const sections: SectionEntry[] = [];
  for (let index = 0; index < count; index++) {
    const type = Number(reader.u64());
    const flags = reader.u64();
    const offset = Number(reader.u64());
    const size = Number(reader.u64());
    if (offset + size > bytes.length) {
      throw damagedProfile(`section ${index}`, `${size} bytes at ${offset} of a file of ${bytes.length}`);
    }
    const section = new ByteReader(bytes, offset, offset + size);
    checkFlags(type, flags);
    const compressed = (Number(flags & LOW_WORD) & COMPRESSED_FLAG) !== 0 && size > 0;
    sections.push({
      type,
      flags: Number(flags >> 32n),
      reader: compressed ? yield* inflate(section) : section,
    });
  }
  return sections;
}

/** Refuses a section with unknown flags, which may mean that the section has another layout. */
function checkFlags(type: number, flags: bigint): void {
  const known = KNOWN_FLAGS[type];
  if (known === undefined) return;
  const unknown = flags & ~(BigInt(COMPRESSED_FLAG | FLAT_FLAG) | (BigInt(known.flags) << 32n));
  if (unknown === 0n) return;
  throw new AutofdoError(
    'INPUT_INVALID',
    `${known.name} has the flags 0x${unknown.toString(16)}, which LLVM 22 does not define`,
    { hint: NEWER_LLVM },
  );
}

function* inflate(section: ByteReader): Steps<ByteReader> {
  const size = section.ulebBelow(MAX_SECTION_SIZE, 'unpacked size');
  const packed = section.bytes(section.ulebBelow(section.remaining + 1, 'packed size'));
  try {
    return new ByteReader((yield { bytes: packed, limit: Math.max(size, 1) }) ?? new Uint8Array());
  } catch (cause) {
    throw damagedProfile(
      `offset ${section.offset}`,
      `a section that does not unpack (${failureReason(cause)})`,
    );
  }
}

function* readNames({ flags, reader }: SectionEntry, md5: boolean): Steps<string[]> {
  if (!md5) return yield* readNameTable(reader);
  const fixed = (flags & NAMES_FIXED_LENGTH) !== 0;
  const count = reader.count('number of names');
  return yield* repeat(count, () => (fixed ? reader.u64() : reader.uleb()).toString(16).padStart(16, '0'));
}

/** Reads checksums and attributes, which are stored apart from the functions. */
function* readMetadata(
  { flags, reader }: SectionEntry,
  names: readonly string[],
  contexts: readonly Context[] | undefined,
  functions: FunctionSamples[],
): Steps<void> {
  if (contexts === undefined) {
    const byName = new Map(functions.map((samples) => [samples.name, samples]));
    while (!reader.atEnd) {
      const samples = byName.get(readName(reader, names));
      readOwnMetadata(samples, flags, reader);
      readInlinedMetadata(samples, flags, reader, names);
      yield;
    }
    return;
  }
  // A function shares its list of callers with the table of contexts, so the lists can be compared by identity.
  const byCallers = new Map(functions.map((samples) => [samples.callers, samples]));
  while (!reader.atEnd) {
    readOwnMetadata(byCallers.get(readContext(reader, contexts).callers), flags, reader);
    yield;
  }
}

function readOwnMetadata(samples: FunctionSamples | undefined, flags: number, reader: ByteReader): void {
  const checksum = flags & METADATA_PROBES ? reader.uleb() : undefined;
  const attributes = flags & METADATA_ATTRIBUTES ? reader.u32('attributes') : undefined;
  if (samples !== undefined && checksum !== undefined) samples.checksum = checksum;
  if (samples !== undefined && attributes) samples.attributes = attributes;
}

function readInlinedMetadata(
  samples: FunctionSamples | undefined,
  flags: number,
  reader: ByteReader,
  names: readonly string[],
  depth = 1,
): void {
  if (depth > 1001) throw damagedProfile(`offset ${reader.offset}`, 'metadata that nests too deep');
  for (let left = reader.count('inlinee count'); left > 0; left--) {
    const line = reader.u32('line');
    const discriminator = reader.u32('discriminator');
    const name = readName(reader, names);
    const inlinee = samples?.inlined.find(
      (item) => item.line === line && item.discriminator === discriminator && item.samples.name === name,
    );
    readOwnMetadata(inlinee?.samples, flags, reader);
    readInlinedMetadata(inlinee?.samples, flags, reader, names, depth + 1);
  }
}

import type { ByteReader } from './byte-reader.js';
import { damagedProfile, MAX_INLINE_DEPTH, nestedTooDeep } from './profile-error.js';
import { repeat, type Steps } from './steps.js';
import type { BodyRecord, CallerFrame, FunctionSamples, InlinedFunction, ProfileSummary } from './types.js';

/** A function with its callers, from the table of contexts. */
export interface Context {
  name: string;
  callers: CallerFrame[];
}

/**
 * Reads a function with code of its own: head, name, body. In a context-sensitive profile the name is an index
 * into `contexts`. Layout: LLVM, SampleProfWriter.cpp, `writeSample`.
 */
function readFunction(
  reader: ByteReader,
  names: readonly string[],
  contexts?: readonly Context[],
): FunctionSamples {
  const head = reader.uleb();
  if (contexts === undefined) return readBody(reader, readName(reader, names), names, head, 0);
  const { name, callers } = readContext(reader, contexts);
  const { total, body, inlined } = readBody(reader, name, names, head, 0);
  if (inlined.length > 0) {
    throw damagedProfile(`offset ${reader.offset}`, 'a function inlined into one with a calling context');
  }
  return { name, callers, total, head, body, inlined };
}

function readBody(
  reader: ByteReader,
  name: string,
  names: readonly string[],
  head: bigint,
  depth: number,
): FunctionSamples {
  if (depth > MAX_INLINE_DEPTH) throw nestedTooDeep(`offset ${reader.offset}`);
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
    const callee = readName(reader, names);
    inlined.push({ line, discriminator, samples: readBody(reader, callee, names, 0n, depth + 1) });
  }
  return { name, total, head, body, inlined };
}

/** Reads a name as an index into the name table. */
export function readName(reader: ByteReader, names: readonly string[]): string {
  return names[reader.ulebBelow(names.length, 'name index')] ?? '';
}

/** Reads a context as an index into the table of contexts. */
export function readContext(reader: ByteReader, contexts: readonly Context[]): Context {
  const context = contexts[reader.ulebBelow(contexts.length, 'context index')];
  if (context === undefined) throw damagedProfile(`offset ${reader.offset}`, 'an index into no contexts');
  return context;
}

/**
 * Reads the table of contexts. A context is a list of frames, the outermost first; a frame is a name and the place
 * of the call. The last frame is the function itself, whose place has no meaning. Layout: LLVM,
 * SampleProfWriter.cpp, `writeCSNameTableSection`.
 */
export function* readContexts(reader: ByteReader | undefined, names: readonly string[]): Steps<Context[]> {
  const contexts: Context[] = [];
  if (reader === undefined || reader.atEnd) return contexts;
  for (let left = reader.count('number of contexts'); left > 0; left--) {
    const callers: CallerFrame[] = [];
    for (let framesLeft = reader.count('number of frames'); framesLeft > 0; framesLeft--) {
      const name = readName(reader, names);
      callers.push({ name, line: reader.u32('line'), discriminator: reader.u32('discriminator') });
    }
    const leaf = callers.pop();
    if (leaf === undefined) throw damagedProfile(`offset ${reader.offset}`, 'a context without any function');
    contexts.push({ name: leaf.name, callers });
    yield;
  }
  return contexts;
}

/** Reads the summary. Layout: LLVM, SampleProfWriter.cpp, `writeSummary`. */
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

/** Reads a table of names, each followed by a NUL byte. */
export function* readNameTable(reader: ByteReader): Steps<string[]> {
  return yield* repeat(reader.count('number of names'), () => reader.cString());
}

/** Reads functions up to the end. */
export function* readFunctions(
  reader: ByteReader,
  names: readonly string[],
  contexts?: readonly Context[],
): Steps<FunctionSamples[]> {
  const functions: FunctionSamples[] = [];
  while (!reader.atEnd) {
    functions.push(readFunction(reader, names, contexts));
    yield;
  }
  return functions;
}

import type {
  BodyRecord,
  CallerFrame,
  CallTarget,
  FunctionSamples,
  InlinedFunction,
  LineLocation,
  SampleProfile,
} from '../sample-profile/types.js';

/** All counts of functions as `llvm-profdata show --sample` prints them, a text for each function. */
export function* functionTexts(
  profile: SampleProfile,
  functions: readonly FunctionSamples[],
): Generator<string> {
  const nameOf = shownName(profile);
  for (const samples of functions) {
    const lines: string[] = [];
    printSamples(lines, `Function: ${fullName(samples, nameOf)}: `, samples, '', nameOf);
    yield `${lines.join('\n')}\n`;
  }
}

/** The functions of a profile in the order of llvm-profdata: by total descending, then by name. */
export function hottestFirst({ functions }: SampleProfile): FunctionSamples[] {
  return functions.toSorted((a, b) => compareCounts(b.total, a.total) || compareContexts(a, b));
}

/** Frame by frame from the outermost, as LLVM; the function itself has no place, which is a place of zeros. */
function compareContexts(a: FunctionSamples, b: FunctionSamples): number {
  const [framesOfA, framesOfB] = [frames(a), frames(b)];
  for (const [index, frame] of framesOfA.entries()) {
    const other = framesOfB[index];
    if (other === undefined) return 1;
    const order =
      compareNames(frame.name, other.name) ||
      frame.line - other.line ||
      frame.discriminator - other.discriminator;
    if (order !== 0) return order;
  }
  return framesOfA.length - framesOfB.length;
}

function frames({ name, callers = [] }: FunctionSamples): CallerFrame[] {
  return [...callers, { name, line: 0, discriminator: 0 }];
}

/** A function's name with its callers, `main:3 @ foo:1.2 @ leaf`; without callers the name alone. */
export function fullName({ name, callers = [] }: FunctionSamples, nameOf: (name: string) => string): string {
  const shown = callers.map((frame) => `${nameOf(frame.name)}:${locationText(frame)} @ `);
  return `${shown.join('')}${nameOf(name)}`;
}

function compareCounts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By bytes, as LLVM; hashes have 16 digits each, whose order is that of the numbers. */
function compareNames(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Files with MD5 names have these in the order of the names that were hashed, which nobody can see any more. */
function inlinedInOrder(inlined: readonly InlinedFunction[]): InlinedFunction[] {
  return inlined.toSorted(
    (a, b) =>
      a.line - b.line || a.discriminator - b.discriminator || compareNames(a.samples.name, b.samples.name),
  );
}

function targetsInOrder(targets: readonly CallTarget[]): CallTarget[] {
  return targets.toSorted((a, b) => compareCounts(b.count, a.count) || compareNames(a.name, b.name));
}

/** Names as text profiles have them: of a name that is only known by its hash, the decimal number. */
export function shownName({ md5 }: SampleProfile): (name: string) => string {
  return md5 ? (name) => BigInt(`0x${name}`).toString() : (name) => name;
}

/** LLVM: SampleProf.cpp, `FunctionSamples::print`. */
function printSamples(
  lines: string[],
  head: string,
  samples: FunctionSamples,
  indent: string,
  nameOf: (name: string) => string,
): void {
  const { body, inlined, total, checksum } = samples;
  if (checksum !== undefined && checksum !== 0n) {
    lines.push(`${head}CFG checksum ${checksum}`);
    head = '';
  }
  lines.push(`${head}${total}, ${samples.head}, ${body.length} sampled lines`);
  if (body.length === 0) lines.push(`${indent}No samples collected in the function's body`);
  else {
    lines.push(`${indent}Samples collected in the function's body {`);
    for (const record of body) lines.push(`${indent}  ${recordText(record, nameOf)}`);
    lines.push(`${indent}}`);
  }
  if (inlined.length === 0) lines.push(`${indent}No inlined callsites in this function`);
  else {
    lines.push(`${indent}Samples collected in inlined callsites {`);
    for (const callee of inlinedInOrder(inlined)) {
      const where = `${indent}  ${locationText(callee)}: inlined callee: ${nameOf(callee.samples.name)}: `;
      printSamples(lines, where, callee.samples, `${indent}    `, nameOf);
    }
    lines.push(`${indent}}`);
  }
}

function recordText(record: BodyRecord, nameOf: (name: string) => string): string {
  const calls = targetsInOrder(record.targets)
    .map(({ name, count }) => ` ${nameOf(name)}:${count}`)
    .join('');
  return `${locationText(record)}: ${record.count}${calls && `, calls:${calls}`}`;
}

/** A location as text profiles have it: `3`, or `3.1` with a discriminator. */
export function locationText({ line, discriminator }: LineLocation): string {
  return discriminator === 0 ? `${line}` : `${line}.${discriminator}`;
}

/** A function as `llvm-profdata show --sample --json` has it. */
export interface FunctionJson {
  name: string;
  /** In a context-sensitive profile: who called it, the outermost first. */
  callers?: object[];
  total: bigint;
  head?: bigint;
  body?: object[];
  callsites?: object[];
}

/** All counts of a function that is not inlined. */
function functionJson(samples: FunctionSamples, nameOf: (name: string) => string): FunctionJson {
  const { name, ...counts } = samplesJson(samples, nameOf, true);
  const callers = samples.callers?.map((frame) => ({ function: nameOf(frame.name), ...locationJson(frame) }));
  return { name, ...(callers !== undefined && { callers }), ...counts };
}

/** All counts of functions, an object for each. */
export function* functionJsons(
  profile: SampleProfile,
  functions: readonly FunctionSamples[],
): Generator<FunctionJson> {
  const nameOf = shownName(profile);
  for (const samples of functions) yield functionJson(samples, nameOf);
}

function samplesJson(
  { name, total, head, body, inlined }: FunctionSamples,
  nameOf: (name: string) => string,
  isTop: boolean,
): FunctionJson {
  return {
    name: nameOf(name),
    total,
    ...(isTop && { head }),
    ...(body.length > 0 && { body: body.map((record) => recordJson(record, nameOf)) }),
    ...(inlined.length > 0 && {
      callsites: inlinedInOrder(inlined).map((callee) => ({
        ...locationJson(callee),
        samples: [samplesJson(callee.samples, nameOf, false)],
      })),
    }),
  };
}

function recordJson(record: BodyRecord, nameOf: (name: string) => string): object {
  const call = ({ name, count }: CallTarget) => ({ function: nameOf(name), samples: count });
  const calls = targetsInOrder(record.targets).map(call);
  return { ...locationJson(record), samples: record.count, ...(calls.length > 0 && { calls }) };
}

function locationJson({ line, discriminator }: LineLocation): object {
  return discriminator === 0 ? { line } : { line, discriminator };
}

/** All counts of functions as `llvm-profdata show --sample --show-format=json` prints them, a text for each function. */
export function* llvmJsonTexts(
  profile: SampleProfile,
  functions: readonly FunctionSamples[],
): Generator<string> {
  const nameOf = shownName(profile);
  yield '[';
  let separator = '\n  ';
  for (const samples of functions) {
    yield separator + llvmJson(samplesJson(samples, nameOf, true), '  ');
    separator = ',\n  ';
  }
  yield functions.length === 0 ? ']\n' : '\n]\n';
}

/** A value with two blanks a level, and numbers with all their digits (LLVM: JSON.cpp, `json::OStream`). */
function llvmJson(value: unknown, indent: string): string {
  if (typeof value === 'string') return llvmString(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value)
    ? value.map((item) => llvmJson(item, inner))
    : Object.entries(value).map(([key, item]) => `${llvmString(key)}: ${llvmJson(item, inner)}`);
  return `${open}${items.map((item) => `\n${inner}${item}`).join(',')}\n${indent}${close}`;
}

/** LLVM has no short form of backspace and form feed. */
function llvmString(text: string): string {
  return JSON.stringify(text).replace(/\\(.)/g, (escaped, kind: string) =>
    kind === 'b' ? '\\u0008' : kind === 'f' ? '\\u000c' : escaped,
  );
}

import type {
  BodyRecord,
  CallerFrame,
  CallTarget,
  FunctionSamples,
  InlinedFunction,
  LineLocation,
  SampleProfile,
} from '../sample-profile/types.js';

/** Yields all counts of functions as `llvm-profdata show --sample` prints them, one text for each function. */
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

/** Returns the functions of a profile in llvm-profdata's order: by total descending, then by name. */
export function hottestFirst({ functions }: SampleProfile): FunctionSamples[] {
  return functions.toSorted((a, b) => compareCounts(b.total, a.total) || compareContexts(a, b));
}

/**
 * Compares contexts as LLVM does, frame by frame from the outermost one. The function itself has no place, so its
 * place counts as zeros.
 */
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

/**
 * Returns a function's name with its callers, `main:3 @ foo:1.2 @ leaf`. Without callers, returns only the name.
 */
export function fullName({ name, callers = [] }: FunctionSamples, nameOf: (name: string) => string): string {
  const shown = callers.map((frame) => `${nameOf(frame.name)}:${locationText(frame)} @ `);
  return `${shown.join('')}${nameOf(name)}`;
}

function compareCounts(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Compares names by their bytes, as LLVM does. Hashes have 16 digits each, so their order is that of the numbers.
 */
function compareNames(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Returns inlined functions in order. A profile with MD5 names has them in the order of the names before hashing,
 * which are not known here.
 */
function inlinedInOrder(inlined: readonly InlinedFunction[]): InlinedFunction[] {
  return inlined.toSorted(
    (a, b) =>
      a.line - b.line || a.discriminator - b.discriminator || compareNames(a.samples.name, b.samples.name),
  );
}

function targetsInOrder(targets: readonly CallTarget[]): CallTarget[] {
  return targets.toSorted((a, b) => compareCounts(b.count, a.count) || compareNames(a.name, b.name));
}

/**
 * Returns a function that writes names as text profiles have them. A name that is only known by its hash is
 * written as a decimal number.
 */
export function shownName({ md5 }: SampleProfile): (name: string) => string {
  return md5 ? (name) => BigInt(`0x${name}`).toString() : (name) => name;
}

/** Writes one function (LLVM: SampleProf.cpp, `FunctionSamples::print`). */
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

/** Writes a location as text profiles have it: `3`, or `3.1` with a discriminator. */
export function locationText({ line, discriminator }: LineLocation): string {
  return discriminator === 0 ? `${line}` : `${line}.${discriminator}`;
}

/**
 * Yields all counts of functions as JSON, one text for each function. The JSON has the fields of llvm-profdata,
 * and in a context-sensitive profile also the callers, the outermost first. The lines of a text begin with
 * `indent`; each level adds two blanks.
 */
export function* functionJsons(
  profile: SampleProfile,
  functions: readonly FunctionSamples[],
  indent = '',
  nameOf = shownName(profile),
): Generator<string> {
  const inner = `${indent}  `;
  for (const samples of functions) {
    const callers = samples.callers?.map((frame) => {
      const name = `"function": ${JSON.stringify(nameOf(frame.name))}`;
      return object([name, locationJson(frame, `${inner}    `)], `${inner}  `);
    });
    const own = [`"head": ${samples.head}`];
    if (callers !== undefined) own.unshift(`"callers": ${array(callers, inner)}`);
    const pieces: string[] = [];
    pushJson(pieces, samples, nameOf, indent, own);
    yield pieces.join('');
  }
}

/**
 * Appends the JSON of a function to a list of pieces. `own` are fields that only functions with code of their own
 * have. Text is made directly, because making objects first takes twice the time, and in pieces, because inlined
 * code may be nested deeply.
 */
function pushJson(
  pieces: string[],
  { name, total, body, inlined }: FunctionSamples,
  nameOf: (name: string) => string,
  indent: string,
  own: readonly string[] = [],
): void {
  const inner = `${indent}  `;
  const fields = [`"name": ${JSON.stringify(nameOf(name))}`, `"total": ${total}`, ...own];
  if (body.length > 0) {
    const records = body.map((record) => recordJson(record, nameOf, `${inner}  `));
    fields.push(`"body": ${array(records, inner)}`);
  }
  pieces.push(`{\n${inner}`, fields.join(`,\n${inner}`));
  let before = `,\n${inner}"callsites": [`;
  for (const callee of inlinedInOrder(inlined)) {
    const within = `${inner}    `;
    pieces.push(`${before}\n${inner}  {\n${within}${locationJson(callee, within)},\n`);
    pieces.push(`${within}"samples": [\n${within}  `);
    pushJson(pieces, callee.samples, nameOf, `${within}  `);
    pieces.push(`\n${within}]\n${inner}  }`);
    before = ',';
  }
  pieces.push(inlined.length > 0 ? `\n${inner}]\n${indent}}` : `\n${indent}}`);
}

function recordJson(record: BodyRecord, nameOf: (name: string) => string, indent: string): string {
  const inner = `${indent}  `;
  const fields = [locationJson(record, inner), `"samples": ${record.count}`];
  if (record.targets.length > 0) {
    const calls = targetsInOrder(record.targets).map(({ name, count }) =>
      object([`"function": ${JSON.stringify(nameOf(name))}`, `"samples": ${count}`], `${inner}  `),
    );
    fields.push(`"calls": ${array(calls, inner)}`);
  }
  return object(fields, indent);
}

function locationJson({ line, discriminator }: LineLocation, indent: string): string {
  return discriminator === 0
    ? `"line": ${line}`
    : `"line": ${line},\n${indent}"discriminator": ${discriminator}`;
}

function object(fields: readonly string[], indent: string): string {
  return `{\n${indent}  ${fields.join(`,\n${indent}  `)}\n${indent}}`;
}

function array(items: readonly string[], indent: string): string {
  return items.length === 0 ? '[]' : `[\n${indent}  ${items.join(`,\n${indent}  `)}\n${indent}]`;
}

/**
 * Yields all counts of functions as `llvm-profdata show --sample --show-format=json` prints them, one text for
 * each function.
 */
export function* llvmJsonTexts(
  profile: SampleProfile,
  functions: readonly FunctionSamples[],
): Generator<string> {
  yield '[';
  let separator = '\n  ';
  for (const text of functionJsons(profile, functions, '  ')) {
    yield separator + llvmEscapes(text);
    separator = ',\n  ';
  }
  yield functions.length === 0 ? ']\n' : '\n]\n';
}

/**
 * Writes the escapes of a JSON text as LLVM does, which has no short form for backspace and form feed (JSON.cpp,
 * `json::OStream`).
 */
function llvmEscapes(json: string): string {
  return json.replace(/\\(.)/g, (escaped, kind: string) =>
    kind === 'b' ? '\\u0008' : kind === 'f' ? '\\u000c' : escaped,
  );
}

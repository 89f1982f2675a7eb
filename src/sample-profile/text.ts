import { damagedProfile, MAX_INLINE_DEPTH, nestedTooDeep } from './profile-error.js';
import { addFunction, addUpRepeated } from './repeated.js';
import type { Steps } from './steps.js';
import type { BodyRecord, CallerFrame, FunctionSamples, SampleProfile } from './types.js';

const MAX_U64 = 2n ** 64n - 1n;
/** Number of bytes that are decoded at a time. */
const PIECE = 1 << 16;

/**
 * Parses the text form. Layout: LLVM, SampleProfReader.h; each level of nesting adds one blank. A function, a line
 * or an inlined function that the text has several times is added up.
 */
export function* readTextProfile(bytes: Uint8Array): Steps<SampleProfile> {
  const functions = new Map<string, FunctionSamples>();
  let hasContexts: boolean | undefined;
  /** The function at each depth of nesting. A line at depth d belongs to the function at depth d - 1. */
  const stack: FunctionSamples[] = [];
  let number = 0;
  for (const line of linesOf(bytes)) {
    number++;
    yield;
    const depth = line.search(/[^ ]/);
    if (depth < 0 || line[depth] === '#') continue;
    const content = line.slice(depth);
    const where = `line ${number}`;
    if (depth === 0) {
      const samples = parseTop(content, where);
      const isInContext = samples.callers !== undefined;
      hasContexts ??= isInContext;
      if (hasContexts !== isInContext) {
        throw damagedProfile(where, 'functions with and without calling contexts');
      }
      const key = content.slice(0, content.lastIndexOf(':', content.lastIndexOf(':') - 1));
      const known = functions.get(key);
      if (known === undefined) functions.set(key, samples);
      else addFunction(known, samples);
      stack.length = 0;
      stack.push(known ?? samples);
      continue;
    }
    stack.length = Math.min(stack.length, depth);
    const parent = stack[depth - 1];
    if (parent === undefined)
      throw damagedProfile(where, `a line that is ${depth} deep below one that is not`);
    const nested = parseNested(content, parent, where);
    if (nested === undefined) continue;
    if (parent.callers !== undefined) {
      throw damagedProfile(where, 'a function inlined into one with a calling context');
    }
    if (depth > MAX_INLINE_DEPTH) throw nestedTooDeep(where);
    stack.push(nested);
  }
  for (const samples of functions.values()) {
    addUpRepeated(samples);
    yield;
  }
  return {
    format: 'text',
    functions: [...functions.values()],
    summary: undefined,
    contextSensitive: hasContexts ?? false,
    md5: false,
    flowSensitive: false,
    symbolList: [],
  };
}

/** Yields the lines of a text. They end with `\n` or `\r\n`, as for LLVM's `line_iterator`. */
function* linesOf(bytes: Uint8Array): Generator<string> {
  // A byte order mark belongs to the first name, as in LLVM.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  let rest = '';
  for (let at = 0; at < bytes.length; at += PIECE) {
    const lines = (rest + decoder.decode(bytes.subarray(at, at + PIECE), { stream: true })).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest + decoder.decode();
}

/**
 * Parses the first line of a function: `NAME:TOTAL:HEAD` or `[CALLER:LINE @ ... @ NAME]:TOTAL:HEAD`. A name may
 * contain colons.
 */
function parseTop(content: string, where: string): FunctionSamples {
  const match = /^(.+):(\d+):(\d+)$/s.exec(content);
  if (match === null) throw damagedProfile(where, `'${clip(content)}' in place of NAME:TOTAL:HEAD`);
  const [, name = '', total = '', head = ''] = match;
  const counts = { total: count(total, where), head: count(head, where), body: [], inlined: [] };
  return name.startsWith('[') ? { ...parseContext(name, where), ...counts } : { name, ...counts };
}

/** Parses a context into the function and its callers. */
function parseContext(context: string, where: string): { name: string; callers: CallerFrame[] } {
  const frames = context.slice(1, -1).split(' @ ');
  const name = frames.pop();
  if (!name || !context.endsWith(']')) {
    throw damagedProfile(where, `'${clip(context)}' in place of [CALLER:LINE @ ... @ NAME]`);
  }
  return { name, callers: frames.map(parseFrame) };
}

/**
 * Parses `NAME:LINE` or `NAME:LINE.DISCRIMINATOR`. If the place of the call is not known, line and discriminator
 * are zero, as in LLVM.
 */
function parseFrame(frame: string): CallerFrame {
  const match = /^(.*):(\d{1,10})(?:\.(\d{1,10}))?$/s.exec(frame);
  const [, name = frame, line = '0', discriminator = '0'] = match ?? [];
  return { name, line: Number(line), discriminator: Number(discriminator) };
}

/** Adds a line to its function. Returns the inlined function if the line begins one. */
function parseNested(content: string, parent: FunctionSamples, where: string): FunctionSamples | undefined {
  const metadata = content.startsWith('!') ? /^!(\w+): (\d+)$/.exec(content) : null;
  if (metadata !== null) {
    if (metadata[1] === 'CFGChecksum') parent.checksum = count(metadata[2] ?? '', where);
    if (metadata[1] === 'Attributes') parent.attributes = Number(metadata[2]);
    return undefined;
  }
  const match = /^(\d+)(?:\.(\d+))?: (.*)$/s.exec(content);
  if (match === null)
    throw damagedProfile(where, `'${clip(content)}' in place of LINE: COUNT or LINE: NAME:TOTAL`);
  const [, line = '', discriminator = '0', rest = ''] = match;
  const location = { line: Number(line), discriminator: Number(discriminator) };
  const body = /^(\d+)( .*)?$/s.exec(rest);
  if (body !== null) {
    parent.body.push({
      ...location,
      count: count(body[1] ?? '', where),
      targets: parseTargets(body[2] ?? '', where),
    });
    return undefined;
  }
  const inlined = /^(.+):(\d+)$/s.exec(rest);
  if (inlined === null) throw damagedProfile(where, `'${clip(rest)}' in place of NAME:TOTAL`);
  const [, name = '', total = ''] = inlined;
  const samples: FunctionSamples = {
    name,
    total: count(total, where),
    head: 0n,
    body: [],
    inlined: [],
  };
  parent.inlined.push({ ...location, samples });
  return samples;
}

/**
 * Parses ` NAME:COUNT NAME:COUNT`. A name may contain blanks and colons: it ends at the first `:COUNT` before a
 * blank or the end.
 */
function parseTargets(text: string, where: string): BodyRecord['targets'] {
  const targets: BodyRecord['targets'] = [];
  const target = / (.+?):(\d+)(?= |$)/gsy;
  let end = 0;
  for (let match = target.exec(text); match !== null; match = target.exec(text)) {
    targets.push({ name: match[1] ?? '', count: count(match[2] ?? '', where) });
    end = target.lastIndex;
  }
  if (text.slice(end).trim() !== '')
    throw damagedProfile(where, `'${clip(text.slice(end))}' in place of TARGET:COUNT`);
  return targets;
}

function count(digits: string, where: string): bigint {
  // Most counts are short, and converting a number is faster than converting a text.
  if (digits.length < 16) return BigInt(Number(digits));
  const value = digits.length < 1000 ? BigInt(digits) : undefined;
  if (value === undefined || value > MAX_U64) {
    throw damagedProfile(where, `${clip(digits)}, which is more than 64 bits`);
  }
  return value;
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

import { parseArgs } from 'node:util';
import { AutofdoError } from '../errors.js';
import { nearest } from '../nearest.js';
import { rangeOf } from '../options/check.js';
import { type Flag, type FlagTable, flagOf, type KindValues, type ValuesOf } from '../options/flag.js';

/** The value of a flag, converted by the kind of the flag. */
export type FlagValue = KindValues[keyof KindValues];

/** The values of the flags by the flags' names, and the arguments that are not flags. */
export interface ParsedArgs {
  values: Map<string, FlagValue>;
  /** Values by the spelling on the command line, with dashes between the words of the name. */
  spellings: Map<string, FlagValue>;
  positionals: string[];
  /** For each of these arguments, the last flag before it, or undefined if no flag is before it. */
  preceding: (Flag | undefined)[];
}

/** Wrong use of the command line. The exit status is 2. */
export class UsageError extends AutofdoError {
  constructor(message: string, hint?: string) {
    super('INVALID_OPTIONS', message, { hint });
  }
}

/**
 * Parses a command line as LLVM's tools do. A long name has one dash or two. A value is written `--flag VALUE` or
 * `--flag=VALUE`. A boolean flag stands alone or has `=0`, `=1`, `=true` or `=false`; `--no-flag` is `--flag=0`.
 * If a flag is given twice, the last value is used, except for lists, which are joined. As in Abseil's flags,
 * words may have `_` between them, and `--noflag` and `--flag=no` turn a flag off.
 *
 * `elsewhere` says where a flag is known that is not in `flags`.
 */
export function parseFlags(
  args: readonly string[],
  flags: readonly Flag[],
  elsewhere: (name: string) => string | undefined = () => undefined,
): ParsedArgs {
  const spellings = flags.flatMap((flag) =>
    [flag.name, ...(flag.aliases ?? [])].map((name) => [name, flag] as const),
  );
  const byName = new Map([
    ...spellings.map(([name, flag]) => [name.replaceAll('-', '_'), flag] as const),
    ...spellings,
  ]);
  const options: Record<string, { type: 'boolean' | 'string'; short?: string }> = {};
  for (const [name, flag] of byName) options[name] = { type: flag.kind === 'boolean' ? 'boolean' : 'string' };
  const { tokens } = parseArgs({
    // The tokenizer needs two dashes before a name. A value such as -1 or - stays unchanged.
    args: args.map((arg) => (/^-[a-z]/i.test(arg) ? `-${arg}` : arg)),
    options,
    strict: false,
    tokens: true,
  });
  const parsed: ParsedArgs = { values: new Map(), spellings: new Map(), positionals: [], preceding: [] };
  let before: Flag | undefined;
  for (const token of tokens) {
    if (token.kind === 'positional') {
      parsed.positionals.push(token.value);
      parsed.preceding.push(before);
    }
    if (token.kind !== 'option') continue;
    const flag = byName.get(token.name);
    before = flag;
    if (flag === undefined) {
      const denied = byName.get(/^no-?(.+)/.exec(token.name)?.[1] ?? '');
      if (denied?.kind !== 'boolean' || token.value !== undefined) {
        throw unknownFlag(
          token.name,
          spellings.map(([spelling]) => spelling),
          elsewhere(token.name),
        );
      }
      parsed.values.set(denied.name, false);
      continue;
    }
    if (flag.kind !== 'boolean' && token.value !== undefined && !token.inlineValue) {
      const swallowed = /^--?([a-z][\w-]*)/i.exec(token.value)?.[1];
      if (swallowed !== undefined && byName.has(swallowed)) throw missingValue(flag);
    }
    if (flag.effect === 'refuse' && !(flag.kind === 'boolean' && readBoolean(flag, token.value) === false)) {
      throw new UsageError(`--${flag.name} is not supported`, flag.doc);
    }
    const value = readValue(flag, token.value, parsed.values.get(flag.name));
    parsed.values.set(flag.name, value);
    parsed.spellings.set(token.name.replaceAll('_', '-'), value);
  }
  return parsed;
}

/** Returns the values of the flags in a table, by their keys in the table. */
export function valuesOf<T extends FlagTable>(table: T, { values }: ParsedArgs): ValuesOf<T> {
  const entries = Object.entries(table).flatMap(([key, flag]) => {
    const name = flagOf(flag)?.name;
    const value = name === undefined ? undefined : values.get(name);
    return value === undefined ? [] : [[key, value]];
  });
  // The parser has read each value by the kind of its flag, which is the type in ValuesOf.
  return Object.fromEntries(entries) as ValuesOf<T>;
}

function readValue(flag: Flag, text: string | undefined, before: FlagValue | undefined): FlagValue {
  if (flag.kind === 'boolean') return readBoolean(flag, text);
  if (text === undefined || text === '') throw missingValue(flag);
  if (flag.choices !== undefined && !flag.choices.includes(text)) {
    throw new UsageError(
      `--${flag.name} is '${text}'`,
      flag.choices.length === 1
        ? `it can only be ${flag.choices[0]}`
        : `known are ${flag.choices.join(', ')}${suggestion(nearest(text, flag.choices))}`,
    );
  }
  switch (flag.kind) {
    case 'string':
    case 'choice':
      return text;
    case 'list':
      return [...asList<string>(before), text];
    case 'integer':
      return readNumber(flag, text, (flag.least ?? 0) < 0 ? /^-?\d+$/ : /^\d+$/, 'a whole number');
    case 'u64':
      return readU64(flag, text);
    case 'number':
      return readNumber(flag, text, /^\d+(\.\d+)?$/, 'a number');
    case 'percent':
      return readNumber(flag, text.replace(/ ?%$/, ''), /^\d+(\.\d+)?$/, 'a percentage');
    case 'integers':
      return [...asList<number>(before), ...readIntegers(flag, text)];
    case 'time':
      return readTime(flag, text);
  }
}

/** Returns the values that the same flag was given before. All values of a flag have the flag's kind. */
function asList<T>(before: FlagValue | undefined): T[] {
  return Array.isArray(before) ? (before as T[]) : [];
}

function readBoolean(flag: Flag, text: string | undefined): boolean {
  if (text === undefined || /^(1|t|true|y|yes)$/i.test(text)) return true;
  if (/^(0|f|false|n|no)$/i.test(text)) return false;
  throw new UsageError(`--${flag.name} is '${text}'`, 'expected true, false, 1, 0 or no value');
}

function readNumber(flag: Flag, text: string, shape: RegExp, expected: string): number {
  const value = Number(text);
  if (!shape.test(text)) throw new UsageError(`--${flag.name} is '${text}'`, `expected ${expected}`);
  const { least, most } = rangeOf(flag);
  if (value < least || value > most) {
    throw new UsageError(`--${flag.name} is ${text}`, `expected ${expected} from ${least} to ${most}`);
  }
  return value;
}

function readU64(flag: Flag, text: string): bigint {
  const expected = 'a whole number below 2^64';
  if (!/^\d{1,20}$/.test(text)) throw new UsageError(`--${flag.name} is '${text}'`, `expected ${expected}`);
  const value = BigInt(text);
  if (value >= 2n ** 64n) throw new UsageError(`--${flag.name} is ${text}`, `expected ${expected}`);
  return value;
}

/** Largest number of numbers in one range. No machine has so many processors. */
const MAX_RANGE_LENGTH = 65536;

/**
 * Reads a list of whole numbers and ranges: `1,3,5-7`. A number may be negative; the bounds of a range may not.
 */
function readIntegers(flag: Flag, text: string): number[] {
  return text.split(',').flatMap((part) => {
    const range = /^(\d+)-(\d+)$/.exec(part);
    if (range === null) return [readNumber(flag, part, /^-?\d+$/, 'whole numbers')];
    const bound = (text = '') => readNumber(flag, text, /^\d+$/, 'whole numbers');
    const [first, last] = [bound(range[1]), bound(range[2])];
    if (first > last) {
      const right = `${last}-${first}`;
      throw new UsageError(
        `--${flag.name} has the range '${part}'`,
        `a range begins with its smallest number; write ${right}`,
      );
    }
    if (last - first >= MAX_RANGE_LENGTH) {
      throw new UsageError(
        `--${flag.name} has the range '${part}'`,
        `a range has at most ${MAX_RANGE_LENGTH} numbers`,
      );
    }
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/**
 * Reads `START,STOP` in seconds with up to nine decimals, as in `perf script --time`. An empty bound has no limit.
 */
function readTime(flag: Flag, text: string): [bigint, bigint] {
  const match = /^(\d*)(?:\.(\d{1,9}))?,(\d*)(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) {
    throw new UsageError(
      `--${flag.name} is '${text}'`,
      'expected START,STOP in seconds, for example 12.5,13',
    );
  }
  const [, startSeconds = '', startFraction = '', stopSeconds = '', stopFraction = ''] = match;
  const nanoseconds = (seconds: string, fraction: string) =>
    BigInt(seconds || 0) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  const open = stopSeconds === '' && stopFraction === '';
  return [
    nanoseconds(startSeconds, startFraction),
    open ? 2n ** 64n - 1n : nanoseconds(stopSeconds, stopFraction),
  ];
}

function missingValue(flag: Flag): UsageError {
  return new UsageError(`--${flag.name} needs a value`, `write --${flag.name} ${flag.value ?? 'VALUE'}`);
}

/** Names that perf gives to the flag for the recording. */
const INPUT_OF_PERF = ['i', 'input'];

function unknownFlag(name: string, known: readonly string[], elsewhere: string | undefined): UsageError {
  const dashes = name.length === 1 ? '-' : '--';
  const isInput = INPUT_OF_PERF.includes(name) && known.includes('perfdata');
  // Any one-letter name is near to any other, so no suggestion is made for a single letter.
  const near = isInput ? 'perfdata' : name.length === 1 ? undefined : nearest(name, known);
  const other = isInput || elsewhere === undefined ? '' : `${elsewhere}; `;
  return new UsageError(`unknown flag ${dashes}${name}`, `${other}see --help${suggestion(near, '--')}`);
}

function suggestion(name: string | undefined, prefix = ''): string {
  return name === undefined ? '' : `; did you mean ${name.length === 1 ? '-' : prefix}${name}?`;
}

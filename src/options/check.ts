import { AutofdoError } from '../errors.js';
import { nearest } from '../nearest.js';
import { type Flag, type FlagTable, NO_FLAG, type Unflagged } from './flag.js';

const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** Makes an `INVALID_OPTIONS` error from what is wrong with the options, and how the options should be. */
export function invalid(message: string, hint: string): AutofdoError {
  return new AutofdoError('INVALID_OPTIONS', message, { hint });
}

/** Refuses a list of inputs that names standard input (`-`) more than once, because it can be read only once. */
export function checkStdin(paths: readonly (string | undefined)[]): void {
  if (paths.filter((path) => path === '-').length > 1) {
    throw invalid('standard input is named more than once', 'write it to a file, and name that');
  }
}

/** An address such as `s3://bucket/day.parquet`. */
const ADDRESS = /^[a-z][a-z\d+.-]+:\/\//i;

/** Refuses addresses of object stores and of the web, because only local files are read and written. */
export function checkLocal(paths: readonly (string | undefined)[]): void {
  const address = paths.find((path) => path !== undefined && ADDRESS.test(path));
  if (address !== undefined) {
    throw invalid(
      `${address} is an address, and only local files are read and written`,
      'copy files between the store and this machine, or mount the store as a folder',
    );
  }
}

/** Refuses traces that are no local files. */
export function checkTraces(paths: readonly string[]): void {
  checkLocal(paths);
  if (paths.includes('-')) {
    throw invalid(
      'traces cannot come from standard input',
      'write them to a .parquet file, and name that: a Parquet file is not read from its start to its end',
    );
  }
}

/** Returns the values as an array: empty for `undefined`, one element for a single value. */
export function list<T>(value: T | readonly T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? [...value] : [value as T];
}

/**
 * Checks that every option has a name in the table, and a value of the kind and in the range that the table gives.
 * Throws `INVALID_OPTIONS`. For an unknown option, the hint names the known option with the nearest name.
 */
export function checkOptions(options: object, table: FlagTable): void {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`the options are ${described(options)}`, 'pass an object with the options in it');
  }
  checkNames(options, Object.keys(table));
  for (const [name, flag] of Object.entries(table)) {
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined && flag !== NO_FLAG) checkValue(name, flag, value);
  }
  const { signal, onProgress } = options as Record<string, unknown>;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw wrongKind('signal', signal, 'an AbortSignal');
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw wrongKind('onProgress', onProgress, 'a function');
  }
}

/** Checks that an object has only known properties. Throws `INVALID_OPTIONS` for the first unknown one. */
export function checkNames(object: object, known: readonly string[]): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearest(unknown, known);
  throw invalid(
    `unknown option '${unknown}'`,
    near === undefined ? `known options are ${known.join(', ')}` : `did you mean '${near}'?`,
  );
}

function checkValue(name: string, flag: Flag | Unflagged, value: unknown): void {
  switch (flag.kind) {
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongKind(name, value, 'true or false');
      break;
    case 'string':
      if (typeof value !== 'string') throw wrongKind(name, value, 'a string');
      break;
    case 'choice':
      if (!flag.choices?.includes(value as string)) {
        throw invalid(`${name} is ${described(value)}`, `it must be one of ${flag.choices?.join(', ')}`);
      }
      break;
    case 'integer':
      checkRange(name, value, flag, true);
      break;
    case 'number':
    case 'percent':
      checkRange(name, value, flag);
      break;
    case 'u64':
      u64(name, value as number | bigint);
      break;
    case 'list':
      if (!list(value).every((item) => typeof item === 'string')) {
        throw wrongKind(name, value, 'a string or an array of strings');
      }
      break;
    case 'integers':
      for (const item of list(value)) checkRange(name, item, flag, true);
      break;
    case 'time':
      if (!Array.isArray(value) || value.length !== 2 || !value.every((stamp) => typeof stamp === 'bigint')) {
        throw wrongKind(name, value, 'an array of two bigints');
      }
      for (const stamp of value) u64(name, stamp);
      break;
    default:
      flag.kind satisfies never;
  }
}

/** Returns the least and the largest value that a numeric flag allows. */
export function rangeOf({ kind, least = 0, most }: Pick<Flag, 'kind' | 'least' | 'most'>): {
  least: number;
  most: number;
} {
  const limit = kind === 'percent' ? 100 : kind === 'number' ? Number.MAX_VALUE : Number.MAX_SAFE_INTEGER;
  return { least, most: most ?? limit };
}

function checkRange(name: string, value: unknown, flag: Flag | Unflagged, integer = false): void {
  const { least, most } = rangeOf(flag);
  if (typeof value === 'number' && value >= least && value <= most && (!integer || Number.isInteger(value))) {
    return;
  }
  throw wrongKind(
    name,
    value,
    `${integer ? 'a whole number' : 'a number'} ${most === Number.MAX_VALUE ? `of at least ${least}` : `from ${least} to ${most}`}`,
  );
}

/**
 * Returns an unsigned 64-bit number as the `bigint` that the addon takes. Throws `INVALID_OPTIONS` for any other
 * value.
 */
export function u64<T extends number | bigint | undefined>(
  name: string,
  value: T,
): T extends undefined ? undefined : bigint;
export function u64(name: string, value: number | bigint | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!whole || value < 0 || value > MAX_U64) {
    throw wrongKind(name, value, 'a whole number from 0 to 2^64 - 1, as a bigint above 2^53 - 1');
  }
  return BigInt(value);
}

function wrongKind(name: string, value: unknown, expected: string): AutofdoError {
  return invalid(`${name} is ${described(value)}`, `it must be ${expected}`);
}

function described(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Removes the properties that are `undefined`. The addon expects an absent option to be a missing property. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

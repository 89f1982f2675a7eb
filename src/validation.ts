import { AutofdoError } from './errors.js';
import type { ProfileFormat } from './sample-profile/types.js';

/** The scale of shares and cut-offs: all is a million millionths. */
export const MILLION = 1_000_000;

const FORMATS: readonly string[] = ['extbinary', 'binary', 'text'] satisfies ProfileFormat[];

/** Wrong options, with how they should be. */
export function invalid(message: string, hint: string): AutofdoError {
  return new AutofdoError('INVALID_OPTIONS', message, { hint });
}

/** One or more values as an array. */
export function list<T>(value: T | readonly T[] | undefined): T[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? [...value] : [value as T];
}

export function checkFormat(format: string | undefined): void {
  if (format !== undefined && !FORMATS.includes(format)) {
    throw invalid(`format '${format}' is unknown`, `formats are ${FORMATS.join(', ')}`);
  }
}

export function checkJobs(jobs: number | undefined): void {
  checkRange('jobs', jobs, 0, 1024, true);
}

export function checkRange(
  name: string,
  value: number | undefined,
  least: number,
  most: number,
  integer = false,
): void {
  if (value === undefined) return;
  if (value >= least && value <= most && (!integer || Number.isInteger(value))) return;
  throw invalid(
    `${name} is ${value}`,
    `it must be ${integer ? 'a whole number' : 'a number'} from ${least} to ${most}`,
  );
}

/** An unsigned 64-bit number, as the addon takes it. */
export function u64<T extends number | bigint | undefined>(
  name: string,
  value: T,
): T extends undefined ? undefined : bigint;
export function u64(name: string, value: number | bigint | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') checkRange(name, value, 0, Number.MAX_SAFE_INTEGER, true);
  const count = BigInt(value);
  if (count < 0n || count > 0xffff_ffff_ffff_ffffn) {
    throw invalid(`${name} is ${value}`, 'it must be an unsigned 64-bit number');
  }
  return count;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The addon's absent options are missing, not undefined. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

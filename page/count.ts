import type { PackedCount } from '../src/profile-report/page-format.js';

/** A count of up to 64 bits: a bigint if a number would not be exact. */
export type Count = number | bigint;

/** Converts a count from the form in the data. */
export function toCount(packed: PackedCount): Count {
  return typeof packed === 'string' ? BigInt(packed) : packed;
}

/** Writes all digits of a count, in groups of three. */
export function formatCount(count: Count): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Returns the share that `part` is of `whole`, from 0 on. */
export function ratio(part: Count, whole: Count): number {
  return Number(whole) === 0 ? 0 : Number(part) / Number(whole);
}

/**
 * Writes a share for people: `12.3 %`. A share that is not 0 or 1 does not look like 0 or 1: `<0.01 %`, `>99.9 %`.
 */
export function formatRatio(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent > 0 && percent < 0.005) return '<0.01 %';
  if (percent >= 99.95 && percent < 100) return '>99.9 %';
  return `${percent.toFixed(percent >= 10 ? 1 : 2)} %`;
}

/** Compares two counts; the larger one comes first. */
export function descending(a: Count, b: Count): number {
  return a < b ? 1 : a > b ? -1 : 0;
}

/** Returns the exact sum of two counts. */
export function addCounts(a: Count, b: Count): Count {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  return BigInt(a) + BigInt(b);
}

/** Returns the larger of two counts. */
export function largerCount(a: Count, b: Count): Count {
  return b > a ? b : a;
}

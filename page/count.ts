import type { PackedCount } from '../src/profile-report/page-format.js';

/** A count of up to 64 bits: a bigint where a number would not be exact. */
export type Count = number | bigint;

/** A count as the data has it. */
export function toCount(packed: PackedCount): Count {
  return typeof packed === 'string' ? BigInt(packed) : packed;
}

/** All digits, in groups of three. */
export function formatCount(count: Count): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** The part that one count is of another, from 0 on. */
export function ratio(part: Count, whole: Count): number {
  return Number(whole) === 0 ? 0 : Number(part) / Number(whole);
}

/** A share for people: `12.3 %`; what is not nothing or all does not look so: `<0.01 %`, `>99.9 %`. */
export function formatRatio(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent > 0 && percent < 0.005) return '<0.01 %';
  if (percent >= 99.95 && percent < 100) return '>99.9 %';
  return `${percent.toFixed(percent >= 10 ? 1 : 2)} %`;
}

/** Largest first. */
export function descending(a: Count, b: Count): number {
  return a < b ? 1 : a > b ? -1 : 0;
}

/** The sum, exact. */
export function plus(a: Count, b: Count): Count {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a + b)) return a + b;
  return BigInt(a) + BigInt(b);
}

/** The larger one. */
export function larger(a: Count, b: Count): Count {
  return b > a ? b : a;
}

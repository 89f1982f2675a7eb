import { randomUUID } from 'node:crypto';
import { AutofdoError } from '../errors.js';

/** Stands before the digits of a `bigint` until its quotes are taken away; no text can have it. */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/** What a value is shown as; the key is that of its object. */
export type Replace = (key: string, value: unknown) => unknown;

/**
 * A value as JSON. A `bigint` is a number with all its digits, however large it is; a map is an object, an error has the fields that
 * are for people, and the bytes of results are left out.
 */
export function jsonText(value: unknown, space = 0, replace: Replace = (_, shown) => shown): string {
  const plain = (key: string, given: unknown) => {
    if (key === 'bytes') return undefined;
    const shown = replace(key, given);
    if (typeof shown === 'bigint') return `${MARK}${shown}`;
    if (shown instanceof Map) return Object.fromEntries(shown);
    // The message of an error is no property that JSON sees.
    if (shown instanceof AutofdoError) {
      const { code, message, hint, path } = shown;
      return { code, message, hint, path };
    }
    return shown;
  };
  return JSON.stringify(value, plain, space).replaceAll(MARKED, '$1');
}

/** A finished job for `--json`. Fields are only ever added. */
export function resultJson(result: object): string {
  return `${jsonText({ ok: true, ...result }, 2)}\n`;
}

/** A failed job for `--json`. */
export function errorJson(error: AutofdoError): string {
  return `${jsonText({ ok: false, error }, 2)}\n`;
}

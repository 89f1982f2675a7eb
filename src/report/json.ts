import { randomUUID } from 'node:crypto';
import { AutofdoError } from '../errors.js';

/**
 * Text that marks the digits of a `bigint` until its quotes are removed. No other text contains it, because it is
 * random.
 */
const MARK = `${randomUUID()}:`;
const MARKED = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/** Returns the value that is shown for a value. `key` is its key in the object that holds it. */
export type Replace = (key: string, value: unknown) => unknown;

/**
 * Writes a value as JSON. A `bigint` is a number with all its digits, however large it is. A map is an object. An
 * error has the fields that are meant for people. The bytes of results are left out.
 */
export function jsonText(value: unknown, space = 0, replace: Replace = (_, shown) => shown): string {
  const plain = (key: string, given: unknown) => {
    if (key === 'bytes') return undefined;
    const shown = replace(key, given);
    if (typeof shown === 'bigint') return `${MARK}${shown}`;
    if (shown instanceof Map) return Object.fromEntries(shown);
    // JSON does not include the message of an error, because it is not an enumerable property.
    if (shown instanceof AutofdoError) {
      const { code, message, hint, path } = shown;
      return { code, message, hint, path };
    }
    return shown;
  };
  return JSON.stringify(value, plain, space).replaceAll(MARKED, '$1');
}

/** Writes the result of a job for `--json`. Fields may be added; no field is ever removed. */
export function resultJson(result: object): string {
  return `${jsonText({ ok: true, ...result }, 2)}\n`;
}

/** Writes the error of a job for `--json`. */
export function errorJson(error: AutofdoError): string {
  return `${jsonText({ ok: false, error }, 2)}\n`;
}

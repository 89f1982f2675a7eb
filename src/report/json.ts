import type { AutofdoError } from '../errors.js';

/** A finished job for `--json`; the bytes of the result are left out. Fields are only ever added. */
export function resultJson(result: object): string {
  return `${JSON.stringify({ ok: true, ...result, bytes: undefined }, null, 2)}\n`;
}

/** A failed job for `--json`. */
export function errorJson({ code, message, hint, path }: AutofdoError): string {
  return `${JSON.stringify({ ok: false, error: { code, message, hint, path } }, null, 2)}\n`;
}

import { AutofdoError } from '../errors.js';

/** A finished job for `--json`; the bytes of results are left out. Fields are only ever added. */
export function resultJson(result: object): string {
  return toText({ ok: true, ...result });
}

/** A failed job for `--json`. */
export function errorJson(error: AutofdoError): string {
  return toText({ ok: false, error });
}

function toText(value: object): string {
  const plain = (key: string, value: unknown) => {
    if (key === 'bytes') return undefined;
    // The message of an error is no property that JSON sees.
    if (value instanceof AutofdoError) {
      const { code, message, hint, path } = value;
      return { code, message, hint, path };
    }
    return typeof value === 'bigint' ? String(value) : value;
  };
  return `${JSON.stringify(value, plain, 2)}\n`;
}

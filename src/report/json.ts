import type { AutofdoError } from '../errors.js';
import type { GenerateResult } from '../result.js';

/** A finished job for `--json`. Fields are only ever added. */
export function resultJson(result: GenerateResult): string {
  const { output, size, statistics, diagnostics, timings } = result;
  return `${JSON.stringify({ ok: true, output, size, statistics, diagnostics, timings }, null, 2)}\n`;
}

/** A failed job for `--json`. */
export function errorJson({ code, message, hint, path }: AutofdoError): string {
  return `${JSON.stringify({ ok: false, error: { code, message, hint, path } }, null, 2)}\n`;
}

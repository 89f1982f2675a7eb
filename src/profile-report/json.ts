import { AutofdoError } from '../errors.js';
import type { Report } from './types.js';

/**
 * A report as JSON, in pieces, as all of it may be too long for one string. It has the fields of {@link Report}; maps are objects, and a
 * count beyond 2^53 is a string.
 */
export function* reportJson({ profiles, ...report }: Report): Generator<string> {
  yield `${open({ ok: true, ...report })},\n  "profiles": [`;
  for (const [index, { functions, ...profile }] of profiles.entries()) {
    yield `${index === 0 ? '' : ','}\n    ${indent(open(profile))},\n      "functions": [`;
    for (const [number, report] of functions.entries()) {
      yield `${number === 0 ? '' : ','}\n        ${JSON.stringify(report, plain)}`;
    }
    yield '\n      ]\n    }';
  }
  yield '\n  ]\n}\n';
}

/** An object that is not closed yet. */
function open(value: object): string {
  return JSON.stringify(value, plain, 2).slice(0, -2);
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ');
}

function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof AutofdoError) {
    const { code, message, hint, path } = value;
    return { code, message, hint, path };
  }
  return value;
}

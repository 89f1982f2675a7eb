import { jsonText } from '../report/json.js';
import type { Report } from './types.js';

/**
 * Yields a report as JSON, in pieces, because the whole text may be too long for one string. The JSON has the
 * fields of {@link Report}. Maps are objects, and counts are numbers with all their digits.
 */
export function* reportJson({ profiles, ...report }: Report): Generator<string> {
  yield `${open({ ok: true, ...report })},\n  "profiles": [`;
  for (const [index, { functions, ...profile }] of profiles.entries()) {
    yield `${index === 0 ? '' : ','}\n    ${indent(open(profile))},\n      "functions": [`;
    for (const [number, report] of functions.entries()) {
      yield `${number === 0 ? '' : ','}\n        ${jsonText(report)}`;
    }
    yield '\n      ]\n    }';
  }
  yield '\n  ]\n}\n';
}

/** Returns the JSON of an object without its closing brace. */
function open(value: object): string {
  return jsonText(value, 2).slice(0, -2);
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ');
}

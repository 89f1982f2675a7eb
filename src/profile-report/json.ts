import { jsonText } from '../report/json.js';
import type { Report } from './types.js';

/**
 * A report as JSON, in pieces, as all of it may be too long for one string. It has the fields of {@link Report}; maps are objects, and
 * counts are numbers with all their digits.
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

/** An object that is not closed yet. */
function open(value: object): string {
  return jsonText(value, 2).slice(0, -2);
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ');
}

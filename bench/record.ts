/** Writes tables into bench/RESULTS.md, and replaces those of an earlier run. */
import { readFileSync, writeFileSync } from 'node:fs';

const RESULTS = 'bench/RESULTS.md';
const END_OF_ALL = '<!-- Written until here. -->';

/** Replaces the table `name`. A table that is not there yet is added after the others. */
export function record(name: string, text: string): void {
  const begin = `<!-- ${name} -->`;
  const end = `<!-- end of ${name} -->`;
  const written = `${begin}\n${text}${end}`;
  const results = readFileSync(RESULTS, 'utf8');
  const [before, rest] = results.split(begin);
  const after = rest?.split(end)[1];
  const changed =
    after === undefined
      ? results.replace(END_OF_ALL, () => `${written}\n\n${END_OF_ALL}`)
      : `${before}${written}${after}`;
  writeFileSync(RESULTS, changed);
}

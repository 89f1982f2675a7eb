/** Writes cells and tables of bench/RESULTS.md. */
import { statSync } from 'node:fs';
import type { Measurement } from './measure.js';

export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [heading, heading.map(() => '---'), ...rows].map(line).join('');
}

export const megabytes = (path: string) => {
  const size = statSync(path).size / 1e6;
  return `${size < 10 ? size.toPrecision(2) : size.toFixed(0)} MB`;
};

export const cost = (one: Measurement | undefined) =>
  one ? `${one.milliseconds.toFixed(0)} ms, ${(one.memory / 2 ** 20).toFixed(0)} MiB` : 'not installed';

/** Writes the factors by which the other program takes more time and more memory. */
export const times = (other: Measurement | undefined, own: Measurement | undefined) =>
  own && other
    ? `${(other.milliseconds / own.milliseconds).toFixed(1)}, ${(other.memory / own.memory).toFixed(1)}`
    : '';

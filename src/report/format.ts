const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Writes a size for people, with powers of 1000: `23.4 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${UNITS[unit]}`;
}

/**
 * Writes a count for people: `1,234,567`. `Intl` is not used, because its first use costs tens of milliseconds.
 */
export function formatCount(count: number | bigint): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Returns the percentage that `part` is of `whole`; 0 if `whole` is 0. */
export function percentOf(part: number | bigint, whole: number | bigint): number {
  return Number(whole) === 0 ? 0 : (Number(part) / Number(whole)) * 100;
}

/** Writes a share for people: `12.3 %`. A small share that is not zero is `<0.1 %`. */
export function formatShare(part: number | bigint, whole: number | bigint): string {
  const percent = percentOf(part, whole);
  return percent > 0 && percent < 0.05 ? '<0.1 %' : `${percent.toFixed(1)} %`;
}

/** Writes a duration for people: `12 ms` or `3.4 s`. */
export function formatDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds.toFixed(1)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}

/** Writes a number of things: `1 unit`, `1,234 units`. */
export function plural(count: number | bigint, thing: string, things = `${thing}s`): string {
  return `${formatCount(count)} ${Number(count) === 1 ? thing : things}`;
}

/** Writes a length of time for people: `4.5 ms`, `0.45 s`, `12 s`, `7 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 0.1) return `${(seconds * 1000).toFixed(1)} ms`;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

/** Breaks a text at blanks into lines of at most `width` columns. A longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

/** Width of the labels in front of lines for people. */
export const LABEL_WIDTH = 16;

/** Returns one line for people without its line break: a label, and a text that may come from a file. */
export function labelledLine(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${printable(text)}`;
}

/**
 * Makes a text from a file safe to show. Characters that would control a terminal, or change the direction of
 * writing, become a replacement character. Tabs stay.
 */
export function printable(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    /[\0-\x08\n-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    '\ufffd',
  );
}

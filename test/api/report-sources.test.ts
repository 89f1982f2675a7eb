import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources, wantedLines } from '../../src/profile-report/sources.js';
import type { FunctionReport, SourcePlace } from '../../src/profile-report/types.js';
import { temporaryFolder } from '../support/temporary.js';

const { path: folder } = temporaryFolder();
const root = join(folder, 'project');
for (const [file, text] of [
  ['project/src/a.c', 'in src\nsecond\nthird\n'],
  ['project/a.c', 'in project\n'],
  ['project/lib/src/a.c', 'in lib\n'],
  ['secret.c', 'secret\n'],
] as const) {
  mkdirSync(join(folder, file, '..'), { recursive: true });
  writeFileSync(join(folder, file), text);
}
symlinkSync(join(folder, 'secret.c'), join(root, 'link.c'));
symlinkSync(folder, join(root, 'up'));

/** Makes a function with counts in these lines, counted from its declaration. */
function withLines(name: string, ...lines: number[]): FunctionReport {
  const body = lines.map((line) => ({ line, discriminator: 0, count: 1n, targets: [] }));
  const samples = { name, total: 1n, head: 0n, body, inlined: [] };
  return {
    name,
    samples,
    total: 1n,
    head: 0n,
    self: 1n,
    inlinedTotal: 0n,
    copies: 0,
    copyLines: [],
    max: 1n,
    temperature: 'hot',
    callers: [],
    callees: [],
  };
}

/** Returns the first line of the text that is read for a path. */
async function firstLine(file: string, line = 1): Promise<string | undefined> {
  const places = new Map<string, SourcePlace>([['f', { file, line }]]);
  const found = await readSources(root, [withLines('f', 0)], places, () => {}, undefined);
  return found.get(file)?.get(1);
}

describe('a source file is read', () => {
  it.each([
    ['/build/elsewhere/src/a.c', 'in src'],
    ['/build/elsewhere/lib/src/a.c', 'in lib'],
    ['../src/a.c', 'in src'],
    ['a.c', 'in project'],
    [join(root, 'src/a.c'), 'in src'],
  ])('by the longest end of the path that exists: %s', async (file, text) => {
    expect(await firstLine(file)).toBe(text);
  });

  it.each([
    ['../secret.c'],
    ['../../../../secret.c'],
    [join(folder, 'secret.c')],
    ['link.c'],
    ['up/secret.c'],
    ['up/project/../secret.c'],
    ['src'],
    ['a.c\0.h'],
    [''],
    ['/'],
  ])('only inside of the folder: %j', async (file) => {
    expect(await firstLine(file)).toBeUndefined();
  });
});

describe('the shown lines of a function', () => {
  const lines = (line: number, ...offsets: number[]) => [
    ...(wantedLines([withLines('f', ...offsets)], new Map([['f', { file: 'a.c', line }]])).get('a.c') ?? []),
  ];

  it('are the lines with counts, the lines between them, and two lines around them', () => {
    expect(lines(10, 0, 2)).toEqual([8, 9, 10, 11, 12, 13, 14]);
    expect(lines(1, 0)).toEqual([1, 2, 3]);
  });

  it('may lie before the declaration, but not far from it', () => {
    // A distance has 16 bits: 65533 is -3.
    expect(lines(10, 65_533)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    expect(lines(10, 20_000)).toEqual([8, 9, 10, 11, 12]);
  });
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandInputs, expandInspected, expandProfiles } from '../../src/cli/input-files.js';
import { temporaryFolder } from '../support/temporary.js';

const folder = temporaryFolder();
for (const name of ['a.data', 'b.data', 'b,c.data', '.hidden.data', 'notes.txt']) folder.write(name, '');
const at = (name: string) => join(folder.path, name);

it.each([
  ['a path', [at('a.data')], [at('a.data')]],
  ['standard input', ['-'], ['-']],
  ['a glob, sorted and without hidden files', [at('*.data')], [at('a.data'), at('b,c.data'), at('b.data')]],
  ['a question mark', [at('?.data')], [at('a.data'), at('b.data')]],
  ['brackets', [at('[a-c].data')], [at('a.data'), at('b.data')]],
  ['brackets with what must not be', [at('[!a].data'), at('[^b].data')], [at('b.data'), at('a.data')]],
  ['a comma list', [`${at('a.data')},${at('b.data')}`], [at('a.data'), at('b.data')]],
  ['a name that has a comma', [at('b,c.data')], [at('b,c.data')]],
  ['an address', ['s3://bucket/*.data'], ['s3://bucket/*.data']],
  ['a path that does not exist', [at('missing')], [at('missing')]],
])('%s', (_, args, expected) => {
  expect(expandInputs(args)).toEqual(expected);
});

it.each([
  ['a glob that matches nothing', at('*.perf')],
  ['a bracket that is not closed', at('[a.data')],
  ['a range that makes no sense', at('[c-a].data')],
])('%s is an error, or is kept as a missing file', (_, pattern) => {
  expect(() => expandInputs([at('a.data'), pattern])).toThrow(`no file matches '${pattern}'`);
  expect(() => expandInputs([`${at('a.data')},${pattern}`])).toThrow(`no file matches '${pattern}'`);
  expect(expandProfiles([pattern], true)).toEqual([pattern]);
});

it('inspect takes the shards below a folder, and a folder of perf as it is', () => {
  for (const name of ['spool/day=1/_temporary', 'spool/.hidden', 'threads', 'nothing'])
    mkdirSync(at(name), { recursive: true });
  const shards = ['spool/b.parquet', 'spool/day=1/a.parquet'];
  const others = [
    'spool/x.txt',
    'spool/_b.parquet',
    'spool/day=1/_temporary/c.parquet',
    'spool/.hidden/d.parquet',
    'threads/data',
    'threads/e.parquet',
  ];
  for (const name of [...shards, ...others]) folder.write(name, '');
  expect(expandInspected([at('spool'), at('threads'), at('nothing'), at('missing')])).toEqual([
    ...shards.map(at),
    at('threads'),
    at('nothing'),
    at('missing'),
  ]);
});

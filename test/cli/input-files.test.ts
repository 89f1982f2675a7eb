import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expandInputs } from '../../src/cli/input-files.js';
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
  [
    'a bracket that is not closed, or makes no sense',
    [at('[a.data'), at('[c-a].data')],
    [at('[a.data'), at('[c-a].data')],
  ],
  ['a comma list', [`${at('a.data')},${at('b.data')}`], [at('a.data'), at('b.data')]],
  ['a name that has a comma', [at('b,c.data')], [at('b,c.data')]],
  ['a glob that matches nothing', [at('*.perf')], [at('*.perf')]],
  ['a path that does not exist', [at('missing')], [at('missing')]],
])('%s', (_, args, expected) => {
  expect(expandInputs(args)).toEqual(expected);
});

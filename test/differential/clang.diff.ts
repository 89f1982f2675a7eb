import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { repository, run, testWith } from './tools.js';

const sources = join(repository, 'fixtures/src');

interface Subject {
  program: Program;
  source: string;
}

const subjects: Subject[] = [
  {
    program: {
      name: 'used-c',
      tools: ['clang-22'],
      build: [`${CLANG} ${AUTOFDO} $fixtures/calc.c -o program`],
    },
    source: 'calc.c',
  },
  {
    program: {
      name: 'used-cxx',
      tools: ['clang-22'],
      build: [`${CLANGXX} ${AUTOFDO} $fixtures/shapes.cpp -o program`],
    },
    source: 'shapes.cpp',
  },
];

const FORMATS = [['--format=extbinary'], ['--use-md5'], ['--format=binary'], ['--format=text']];

describe('the compiler takes the profile', () => {
  for (const { program, source } of subjects) {
    for (const clang of ['clang-22', 'clang-19']) {
      for (const format of FORMATS) {
        testWith([...(program.tools ?? []), clang], `${clang} ${source} ${format.join(' ')}`, () => {
          const { folder, binary, perfData } = recorded(program);
          const all = [`--binary=${binary}`, `--perfdata=${perfData}`, ...format];
          const object = (profile: Buffer | undefined) => compile(clang, source, profile, folder);
          const withOurs = object(ours(folder, all).output);
          expect(withOurs.equals(object(llvmProfgen(folder, all).output)), 'same object file').toBe(true);
          expect(withOurs.equals(compile(clang, source, undefined, folder)), 'the profile matters').toBe(
            false,
          );
        });
      }
    }
  }
});

/** The object file that a compiler makes with a profile, or without; any warning is an error. */
function compile(clang: string, source: string, profile: Buffer | undefined, folder: string): Buffer {
  const use = profile ? ['-fprofile-sample-use=used.afdo'] : [];
  if (profile) writeFileSync(join(folder, 'used.afdo'), profile);
  const flags = ['-O2', '-g', ...AUTOFDO.split(' '), '-Wall', '-Werror'];
  const done = run(clang, [...flags, ...use, '-c', join(sources, source), '-o', 'used.o'], folder);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return readFileSync(join(folder, 'used.o'));
}

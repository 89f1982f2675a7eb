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
  emit: '-c' | '-S';
  /** Flags of both builds. */
  flags: string;
  compilers: readonly string[];
  formats: readonly (readonly string[])[];
}

const FORMATS = [['--format=extbinary'], ['--use-md5'], ['--format=binary'], ['--format=text']];
const PROBES = '-fdebug-info-for-profiling -fpseudo-probe-for-profiling';

/**
 * Checksums of probes are good for the compiler that set them, and do not fit into the raw binary form. In object files clang
 * writes probes in another order each time; as assembly they are in order.
 */
const probes = {
  emit: '-S' as const,
  flags: PROBES,
  compilers: ['clang-22'],
  formats: FORMATS.filter(([format]) => format !== '--format=binary'),
};
const lines = { emit: '-c' as const, flags: AUTOFDO, compilers: ['clang-22', 'clang-19'], formats: FORMATS };

const subjects: Subject[] = [
  {
    program: {
      name: 'used-c',
      tools: ['clang-22'],
      build: [`${CLANG} ${AUTOFDO} $fixtures/calc.c -o program`],
    },
    source: 'calc.c',
    ...lines,
  },
  {
    program: {
      name: 'used-cxx',
      tools: ['clang-22'],
      build: [`${CLANGXX} ${AUTOFDO} $fixtures/shapes.cpp -o program`],
    },
    source: 'shapes.cpp',
    ...lines,
  },
  {
    program: {
      name: 'used-c-probes',
      tools: ['clang-22'],
      build: [`${CLANG} ${PROBES} $fixtures/calc.c -o program`],
    },
    source: 'calc.c',
    ...probes,
  },
  {
    program: {
      name: 'used-cxx-probes',
      tools: ['clang-22'],
      build: [`${CLANGXX} ${PROBES} $fixtures/shapes.cpp -o program`],
    },
    source: 'shapes.cpp',
    ...probes,
  },
];

describe('the compiler takes the profile', () => {
  for (const { program, source, emit, flags, compilers, formats } of subjects) {
    for (const clang of compilers) {
      for (const format of formats) {
        testWith([...(program.tools ?? []), clang], `${program.name}, ${clang}, ${format.join(' ')}`, () => {
          const { folder, binary, perfData } = recorded(program);
          const all = [`--binary=${binary}`, `--perfdata=${perfData}`, ...format];
          const object = (profile: Buffer | undefined) =>
            compile(clang, [...flags.split(' '), emit, join(sources, source)], profile, folder);
          const withOurs = object(ours(folder, all).output);
          expect(withOurs.equals(object(llvmProfgen(folder, all).output)), 'same code').toBe(true);
          expect(withOurs.equals(object(undefined)), 'the profile matters').toBe(false);
        });
      }
    }
  }
});

/** What a compiler makes with a profile, or without; any warning is an error. */
function compile(
  clang: string,
  build: readonly string[],
  profile: Buffer | undefined,
  folder: string,
): Buffer {
  const use = profile ? ['-fprofile-sample-use=used.afdo'] : [];
  if (profile) writeFileSync(join(folder, 'used.afdo'), profile);
  const done = run(clang, ['-O2', '-g', '-Wall', '-Werror', ...build, ...use, '-o', 'used.o'], folder);
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  return readFileSync(join(folder, 'used.o'));
}

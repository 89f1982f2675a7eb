import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { repository, run, testWith } from './tools.js';

const sources = join(repository, 'fixtures/src');

interface Subject {
  program: Program;
  source: string;
  emit: '-c' | '-S';
  /** Flags of both builds, the one that is recorded and the one that uses the profile. */
  flags: string;
  compilers: readonly string[];
  formats: readonly (readonly string[])[];
}

const FORMATS = [['--format=extbinary'], ['--use-md5'], ['--format=binary'], ['--format=text']];
const PROBES = '-fdebug-info-for-profiling -fpseudo-probe-for-profiling';

/**
 * Flags for pseudo probes. Their checksums fit only the compiler that wrote them, and the raw binary form cannot
 * hold them. clang writes the probes in object files in another order each time; in assembly they are in a fixed
 * order.
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

/** Returns the output of a compiler with a profile, or without one. Any warning is an error. */
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

/** A generator of numbers: a coroutine that is resumed 300,000 times. */
const GENERATOR: Program = {
  name: 'used-coroutine',
  tools: ['clang-22'],
  files: {
    'program.cpp': [
      '#include <coroutine>',
      '#include <cstdio>',
      'struct Numbers {',
      '  struct promise_type {',
      '    long value;',
      '    Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }',
      '    std::suspend_always initial_suspend() { return {}; }',
      '    std::suspend_always final_suspend() noexcept { return {}; }',
      '    std::suspend_always yield_value(long x) { value = x; return {}; }',
      '    void return_void() {}',
      '    void unhandled_exception() {}',
      '  };',
      '  std::coroutine_handle<promise_type> handle;',
      '};',
      'volatile long count = 300000;',
      '__attribute__((noinline)) long mix(long a) { return a * 2654435761u ^ (a >> 7); }',
      'Numbers numbers(long limit) {',
      '  long state = 1;',
      '  for (long i = 0; i < limit; i++) {',
      '    if (i % 3 == 0) state = mix(state);',
      '    else state += i;',
      '    co_yield state;',
      '  }',
      '}',
      '__attribute__((noinline)) long drive(Numbers all) {',
      '  long sum = 0;',
      '  while (!all.handle.done()) { all.handle.resume(); sum += all.handle.promise().value; }',
      '  return sum;',
      '}',
      'int main() { std::printf("%ld\\n", drive(numbers(count))); }',
    ].join('\n'),
  },
  build: [`${CLANGXX} -std=c++20 -fdebug-info-for-profiling program.cpp -o program`],
};

describe('a coroutine', () => {
  testWith(['clang-22'], 'has its counts applied, and counts of its parts are not applied', () => {
    const { folder, binary, perfData } = recorded(GENERATOR);
    const all = [`--binary=${binary}`, `--perfdata=${perfData}`, '--format=text'];
    /** Returns the lines of the loop of `numbers`, 19 to 21, to which clang applies counts. */
    const applied = (profile: Buffer): Set<string> => {
      writeFileSync(join(folder, 'used.prof'), profile);
      const flags = [
        '-std=c++20',
        '-O2',
        '-g',
        '-fdebug-info-for-profiling',
        '-c',
        '-Rpass-analysis=sample-profile',
        '-o',
        'used.o',
      ];
      const use = ['-fprofile-sample-use=used.prof', 'program.cpp'];
      const { stderr } = run('clang++-22', [...flags, ...use], folder);
      const remarks = stderr.matchAll(/^program\.cpp:(\d+):\d+: remark: Applied [1-9]/gm);
      return new Set([...remarks].map(([, line = '']) => line).filter((line) => +line >= 19 && +line <= 21));
    };
    const profileOf = ({ output }: { output: Buffer | undefined }) => output ?? Buffer.alloc(0);
    const [mine, theirs] = [profileOf(ours(folder, all)), profileOf(llvmProfgen(folder, all))];
    expect(theirs.toString()).toMatch(/^_Z7numbersl\.resume:/m);
    expect(mine.toString()).not.toMatch(/^_Z7numbersl\.resume:/m);
    expect(profileOf(oursCompatible(folder, all)).equals(theirs)).toBe(true);
    expect([...applied(theirs)]).toEqual([]);
    expect([...applied(mine)].toSorted()).toEqual(['19', '20', '21']);
  });
});

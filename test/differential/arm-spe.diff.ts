import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { ARM_CXX, ARM_DYNAMIC } from './compilers.js';
import { llvmProfgen, type Outcome, ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { run, testWith } from './tools.js';

const FLAGS = '-g -fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true';
const clang = `clang-22 --target=aarch64-linux-gnu -static -fuse-ld=lld -O2 ${FLAGS}`;
/** Position-independent, with shared libraries. */
const dynamic = `--target=aarch64-linux-gnu -fuse-ld=lld ${ARM_DYNAMIC} ${FLAGS}`;
const tools = ['clang-22', 'ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'] as const;
const CXX = ['clang++-22', '/usr/aarch64-linux-gnu/lib/libstdc++.so.6'];
/** Least similarity of the sampled counts with the executed counts, in percent. */
const SIMILAR = 99;
/** Least similarity in C++ if the CPU does not tell the branch before each sampled one. Each sample then covers less code. */
const SIMILAR_BEHIND = 98;

const codec = `${clang} $programs/codec.c $programs/codec-main.c -o program`;
const threads = `clang-22 ${dynamic} -O2 $programs/threads.c -lpthread -o program`;
const interpreter = `${clang} $programs/interpreter.c -o program`;

/** Recordings with the target of the branch before each sampled branch, and recordings without it. */
const programs: Program[] = [
  { name: 'arm-spe-pbt', build: [codec], record: 'spe=pbt period=31 exact=exact.counters' },
  { name: 'arm-spe', build: [codec], record: 'spe=1 period=31 exact=exact.counters' },
  { name: 'arm-spe-switch-pbt', build: [interpreter], record: 'spe=pbt period=101 exact=exact.counters' },
  { name: 'arm-spe-switch', build: [interpreter], record: 'spe=1 period=101 exact=exact.counters' },
  // Each thread runs on a CPU of its own, so there are several buffers.
  { name: 'arm-spe-threads-pbt', build: [threads], record: 'spe=pbt period=7 exact=exact.counters' },
  { name: 'arm-spe-threads', build: [threads], record: 'spe=1 period=7 exact=exact.counters' },
];

/** Programs that spend most of their time in libraries need traces that are too large to be printed by perf. */
const inCxx = ['pbt', '1'].flatMap((kind): Program[] => [
  {
    // This program has virtual calls, sorting, and templates of the library.
    name: `arm-spe-cxx-${kind}`,
    build: [`clang++-22 ${dynamic} -O3 $programs/containers.cpp ${ARM_CXX} -o program`],
    start: './program 10',
    record: `spe=${kind} period=61 exact=exact.counters`,
  },
  {
    name: `arm-spe-exceptions-${kind}`,
    build: [`clang++-22 ${dynamic} -O2 $programs/exceptions.cpp ${ARM_CXX} -o program`],
    record: `spe=${kind} period=1 exact=exact.counters`,
  },
]);

const libraries: Program = {
  name: 'arm-spe-libraries',
  build: [
    `clang-22 ${dynamic} -O2 -fPIC -shared $programs/relay-second.c -o libsecond.so`,
    `clang-22 ${dynamic} -O2 -fPIC -shared $programs/relay-first.c -L. -lsecond -o libfirst.so`,
    `clang-22 ${dynamic} -O2 $programs/relay-main.c -L. -lfirst -lsecond -Wl,-rpath,. -o program`,
  ],
  record: 'spe=pbt period=61',
};

const inputs = ['--binary=program', '--perfdata=perf.data', '--format=text', '--verbose'];
const truth = [
  '--binary=program',
  '--unsymbolized-profile=exact.counters',
  '--use-offset=0',
  '--format=text',
];

/** Similarity of two profiles, in percent. */
function similarity(folder: string, expected: string, found: string): number {
  writeFileSync(join(folder, 'expected.prof'), expected);
  writeFileSync(join(folder, 'found.prof'), found);
  const overlap = ['overlap', '--sample', 'expected.prof', 'found.prof'];
  const { stdout } = run('llvm-profdata-22', overlap, folder);
  return Number(/profile similarity: ([\d.]+)%/.exec(stdout)?.[1]);
}

function done(outcome: Outcome): string {
  expect(outcome.status, outcome.stderr).toBe(0);
  return outcome.output?.toString() ?? '';
}

describe('a profile of Arm SPE', () => {
  for (const program of [...programs, ...inCxx]) {
    testWith(
      [...tools, ...CXX, 'llvm-profdata-22'],
      `is similar to the executed counts: ${program.name}`,
      () => {
        const { folder } = recorded(program);
        const found = ours(folder, inputs);
        const expected = done(llvmProfgen(folder, truth));
        const least = program.name === 'arm-spe-cxx-1' ? SIMILAR_BEHIND : SIMILAR;
        expect(similarity(folder, expected, done(found))).toBeGreaterThan(least);
        expect(found.stderr).not.toContain('trace-damaged');
      },
    );
  }

  for (const program of programs) {
    /**
     * perf prints the packets of each piece by itself, so packets that lie across two pieces are missing in its
     * output.
     */
    testWith([...tools, 'perf'], `has the branches that perf finds in the trace: ${program.name}`, () => {
      const { folder } = recorded(program);
      const { stdout } = run('perf', ['script', '-D', '-i', 'perf.data'], folder);
      const packets = (pattern: RegExp) => [...stdout.matchAll(pattern)].length;
      const [branches, notTaken] = [packets(/ PC 0x/g), packets(/ EV RETIRED NOT-TAKEN/g)];
      const pieces = packets(/PERF_RECORD_AUXTRACE size/g);
      const sampled = /Arm SPE sampled (\d+) branches, of which ([\d.]+) % were taken/.exec(
        ours(folder, inputs).stderr,
      );
      const count = Number(sampled?.[1]);
      expect(branches).toBeGreaterThan(1000);
      expect(count - branches).toBeGreaterThanOrEqual(0);
      expect(count - branches).toBeLessThanOrEqual(pieces);
      expect(Math.abs(100 - Number(sampled?.[2]) - (100 * notTaken) / branches)).toBeLessThan(0.2);
    });
  }

  for (const binary of ['program', 'libfirst.so', 'libsecond.so']) {
    testWith(
      [...tools, 'llvm-profdata-22'],
      `is similar to the executed counts: ${binary} of several files`,
      () => {
        const { folder } = recorded(libraries);
        // Each stack shares one entry with the stack before it, so the stacks have every run exactly once.
        const every = recorded({
          ...libraries,
          name: 'arm-spe-libraries-every',
          record: 'period=31 depth=32',
        });
        const expected = done(llvmProfgen(every.folder, [`--binary=${binary}`, ...inputs.slice(1, 3)]));
        const found = done(ours(folder, [`--binary=${binary}`, ...inputs.slice(1)]));
        expect(similarity(folder, expected, found)).toBeGreaterThan(SIMILAR);
      },
    );
  }
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { expectSame, expectSameButForOrder } from './compare.js';
import { AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { repository, run, shell, testWith } from './tools.js';

const PROBES = '-fdebug-info-for-profiling -fpseudo-probe-for-profiling';
const FRAMES = '-fno-omit-frame-pointer';
const WHOLE = `${FRAMES} -fno-optimize-sibling-calls`;
const arm = ['ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'] as const;
const armClang = `${CLANG} --target=aarch64-linux-gnu -fuse-ld=lld ${FRAMES}`;
const armLibraries = '/usr/aarch64-linux-gnu/lib';
const armDynamic = `-Wl,--dynamic-linker=${armLibraries}/ld-linux-aarch64.so.1,-rpath,${armLibraries}`;
const withChains = join(repository, 'test/recorder/script-with-chains.sh');
const codec = '$programs/codec.c $programs/codec-main.c';

const programs: Program[] = [
  { name: 'stacks-c', build: [`${CLANG} ${AUTOFDO} ${WHOLE} ${codec} -o program`] },
  {
    name: 'stacks-cxx',
    build: [`${CLANGXX} -fdebug-info-for-profiling ${WHOLE} $programs/calls.cpp -o program`],
  },
  { name: 'stacks-gcc', build: [`gcc -O2 -g ${FRAMES} $programs/signals.c -o program -lpthread`] },
  {
    name: 'stacks-tail-calls',
    build: [`${CLANGXX} ${PROBES} ${FRAMES} $programs/calls.cpp -o program`],
    probes: true,
  },
  {
    name: 'stacks-thin-lto',
    tools: ['ld.lld-22'],
    build: [`${CLANGXX} ${PROBES} ${FRAMES} -flto=thin -fuse-ld=lld $programs/calls.cpp -o program`],
    probes: true,
  },
  {
    name: 'stacks-signals',
    build: [`${CLANG} ${PROBES} ${FRAMES} $programs/signals.c -o program -lpthread`],
    probes: true,
  },
  {
    name: 'stacks-by-frame-pointer',
    build: [`${CLANGXX} -fdebug-info-for-profiling ${FRAMES} $programs/calls.cpp -o program`],
    record: 'period=997 callchain=fp',
  },
  {
    name: 'stacks-rust',
    tools: ['rustc'],
    build: [
      'rustc --edition 2021 $programs/words.rs -o program -O -g -C force-frame-pointers=yes -C codegen-units=1',
    ],
  },
  {
    name: 'stacks-aarch64',
    tools: arm,
    build: [`${armClang} ${armDynamic} ${AUTOFDO} ${codec} -o program`],
  },
  {
    name: 'stacks-aarch64-probes',
    tools: arm,
    build: [`${armClang} -static ${PROBES} ${codec} -o program`],
    record: 'period=997 callchain=fp',
    probes: true,
  },
].map((program) => ({ record: 'period=997 callchain=1', ...program }));

/** The text of the recording in a folder, for llvm-profgen. */
function scriptOf(folder: string): string {
  const script = 'perf.script';
  if (!existsSync(join(folder, script))) shell(`${withChains} perf.data > ${script}`, folder);
  return script;
}

/** llvm-profgen 22 crashes where all recursion is kept and the pre-inliner runs. */
const MODES = [
  [],
  ['--skip-symbolization'],
  ['--skip-symbolization', '--csprof-max-unsymbolized-context-depth=2', '--use-offset=0'],
  ['--skip-symbolization', '--compress-recursion=1', '--csprof-max-context-depth=4'],
  ['--gen-cs-nested-profile=0'],
  ['--gen-cs-nested-profile=0', '--infer-missing-frames=0'],
  ['--gen-cs-nested-profile=0', '--max-search-depth=1'],
  ['--csspgo-preinliner=0'],
  ['--csspgo-preinliner=0', '--gen-cs-nested-profile=0', '--compress-recursion=0'],
  ['--csspgo-preinliner=0', '--csprof-max-context-depth=3', '--profile-summary-hot-count=100'],
  ['--csspgo-replay-preinline', '--gen-cs-nested-profile=0'],
  ['--use-context-cost-for-preinliner=0'],
  ['--sample-profile-hot-inline-threshold=3', '--sample-profile-cold-inline-threshold=50'],
  ['--sample-profile-inline-growth-limit=2', '--sample-profile-inline-limit-min=10'],
  ['--sample-profile-inline-limit-max=300', '--csspgo-preinliner-multiplier-for-previous-inlining=1'],
  ['--profile-summary-cold-count=50', '--gen-cs-nested-profile=0'],
  ['--profile-summary-cold-count=50', '--gen-cs-nested-profile=0', '--sort-profiled-scc-member=0'],
  ['--csprof-merge-cold-context', '--csprof-max-cold-context-depth=2', '--profile-summary-hot-count=1000'],
  ['--trim-cold-profile', '--update-total-samples'],
  ['--mark-all-context-preinlined', '--generate-merged-base-profiles'],
  ['--ignore-stack-samples'],
];

for (const program of programs) {
  const tools = ['clang-22' as const, 'perf' as const, ...(program.tools ?? [])];
  describe(`call stacks of ${program.name}`, () => {
    for (const flags of MODES) {
      testWith(tools, `text ${flags.join(' ')}`, () => {
        const { folder } = recorded(program);
        const text = ['--binary=program', `--perfscript=${scriptOf(folder)}`, '--format=text', ...flags];
        const theirs = llvmProfgen(folder, text);
        expect(theirs.output?.length).toBeGreaterThan(100);
        const compatible = oursCompatible(folder, text);
        expectSame(compatible, theirs, true);
        expect(compatible.warnings.toSorted()).toEqual(theirs.warnings.toSorted());
        expectSame(ours(folder, text), theirs, true);
        const recording = ['--binary=program', '--perfdata=perf.data', '--format=text', ...flags];
        expectSame(ours(folder, recording), theirs, true);
      });
    }

    testWith(tools, 'extbinary', () => {
      const { folder } = recorded(program);
      for (const flags of [
        [],
        ['--use-md5'],
        ['--populate-profile-symbol-list'],
        ['--gen-cs-nested-profile=0'],
      ]) {
        const theirs = llvmProfgen(folder, [
          '--binary=program',
          `--perfscript=${scriptOf(folder)}`,
          ...flags,
        ]);
        const found = ours(folder, ['--binary=program', '--perfdata=perf.data', ...flags]);
        expectSameButForOrder(found, theirs, folder);
      }
    });

    testWith(tools, 'the number of threads changes nothing', () => {
      const { folder } = recorded(program);
      for (const input of ['--perfdata=perf.data', `--perfscript=${scriptOf(folder)}`]) {
        const [one, ...others] = ['1', '2', '7'].map((jobs) =>
          ours(folder, ['--binary=program', input, `--jobs=${jobs}`]),
        );
        for (const other of others) expectSame(other, one ?? other, false);
      }
    });

    testWith(tools, 'counters are read again', () => {
      const { folder } = recorded(program);
      const recording = ['--binary=program', '--perfdata=perf.data'];
      const counters = ours(folder, [...recording, '--skip-symbolization']).output ?? Buffer.of();
      writeFileSync(join(folder, 'contexts.counters'), counters);
      const again = ['--binary=program', '--unsymbolized-profile=contexts.counters', '--format=text'];
      if (program.probes) {
        expectSame(ours(folder, again), ours(folder, [...recording, '--format=text']), true);
      } else {
        expectSame(ours(folder, again), llvmProfgen(folder, again), true);
      }
    });
  });
}

describe('a coroutine is inlined where no probe tells of the call', () => {
  const program: Program = {
    name: 'stacks-coroutine',
    build: [`${CLANGXX} -std=c++20 ${PROBES} ${WHOLE} $programs/generator.cpp -o program`],
    record: 'period=97 callchain=1',
  };
  for (const flags of [[], ['--csspgo-preinliner=0'], ['--gen-cs-nested-profile=0']]) {
    testWith(['clang-22', 'perf'], `contexts begin behind the call ${flags.join(' ')}`, () => {
      const { folder } = recorded(program);
      const text = ['--binary=program', `--perfscript=${scriptOf(folder)}`, '--format=text', ...flags];
      const theirs = llvmProfgen(folder, text);
      expect(theirs.output?.toString()).toContain('_Z8count_toi');
      expectSame(ours(folder, text), theirs, true);
      expectSame(oursCompatible(folder, text), theirs, true);
    });
  }
});

describe('code without debug information calls all functions', () => {
  const program: Program = {
    name: 'stacks-static',
    build: [`${CLANG} -static ${AUTOFDO} ${WHOLE} ${codec} -o program`],
    record: 'period=997 callchain=1',
  };
  testWith(['clang-22', 'perf'], 'no context can be named, which is an error that helps', () => {
    const { folder } = recorded(program);
    const text = ['--binary=program', `--perfscript=${scriptOf(folder)}`, '--format=text'];
    const theirs = llvmProfgen(folder, text);
    expect(theirs.output?.toString()).toMatch(/^(\w+:0:\d+\n)+$/);
    expectSame(oursCompatible(folder, text), theirs, true);
    const recording = ['--binary=program', '--perfdata=perf.data', '--format=text'];
    for (const flags of [text, recording]) {
      const found = ours(folder, flags);
      expect(found).toMatchObject({ status: 1, output: undefined });
      expect(found.stderr).toContain('no calling context is known');
      expect(found.stderr).toMatch(/such as the one at 0x[0-9a-f]+ in \w+/);
      const flat = ours(folder, [...flags, '--ignore-stack-samples']);
      expectSame(flat, llvmProfgen(folder, [...text, '--ignore-stack-samples']), true);
      expect(flat.output?.length).toBeGreaterThan(1000);
    }
  });
});

describe('clang compiles a program with the profile of its call stacks', () => {
  const cxx = programs.find(({ name }) => name === 'stacks-tail-calls');
  if (cxx === undefined) throw new Error('no such program');
  testWith(['clang-22', 'perf'], 'as with that of llvm-profgen', () => {
    const { folder } = recorded(cxx);
    const source = join(import.meta.dirname, 'programs/calls.cpp');
    const theirs = llvmProfgen(folder, ['--binary=program', `--perfscript=${scriptOf(folder)}`]);
    const found = ours(folder, ['--binary=program', '--perfdata=perf.data']);
    const compiled = [theirs, found].map(({ output }) => {
      writeFileSync(join(folder, 'used.afdo'), output ?? Buffer.of());
      const flags = ['-O2', '-g', '-Wall', ...PROBES.split(' '), '-fprofile-sample-use=used.afdo'];
      const done = run('clang++-22', [...flags, '-S', source, '-o', 'used.s'], folder);
      expect(done).toMatchObject({ status: 0, stderr: '' });
      return readFileSync(join(folder, 'used.s'), 'utf8');
    });
    expect(compiled[1]).toBe(compiled[0]);
    expect(compiled[0]).toContain('collatz');
  });
});

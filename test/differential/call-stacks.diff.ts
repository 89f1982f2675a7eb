import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { expectSame, expectSameButForOrder } from './compare.js';
import { AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { run, testWith } from './tools.js';

const PROBES = '-fdebug-info-for-profiling -fpseudo-probe-for-profiling';
const FRAMES = '-fno-omit-frame-pointer';
const WHOLE = `${FRAMES} -fno-optimize-sibling-calls`;
const arm = ['ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'] as const;
const armClang = `${CLANG} --target=aarch64-linux-gnu -static -fuse-ld=lld ${FRAMES}`;
const codec = '$programs/codec.c $programs/codec-main.c';

/** A program, and whether its profile has heads only. */
type StackedProgram = Program & { isTiny?: boolean };

const programs: StackedProgram[] = [
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
  // llvm-profgen puts no sample of this program into a context, and all into the counters of none.
  {
    name: 'stacks-aarch64',
    tools: arm,
    build: [`${armClang} ${AUTOFDO} ${codec} -o program`],
    isTiny: true,
  },
  {
    name: 'stacks-aarch64-probes',
    tools: arm,
    build: [`${armClang} ${PROBES} ${codec} -o program`],
    record: 'period=997 callchain=fp',
    probes: true,
  },
].map((program) => ({ record: 'period=997 callchain=1', ...program }));

/**
 * The text that perf prints of a recording with `-F ip,brstack --show-mmap-events`. Before version 6.4, perf prints offsets in files
 * instead of the addresses of call chains, so the samples come from the dump of the records (`-D`).
 */
function scriptOf(folder: string): string {
  const script = 'perf.script';
  if (existsSync(join(folder, script))) return script;
  const perf = (...args: string[]) =>
    run('perf', ['script', ...args, '-i', 'perf.data'], folder).stdout.split('\n');
  const lines = perf('--show-mmap-events', '-F', 'ip,brstack').filter((line) =>
    line.includes('PERF_RECORD_MMAP'),
  );
  let branches: string[] = [];
  const end = () => {
    if (branches.length > 0) lines.push(` ${branches.join(' ')} `, '');
    branches = [];
  };
  for (const line of perf('-D')) {
    const frame = /^\.+ +\d+: (?!fffffffffffff)([0-9a-f]{16})$/.exec(line);
    const branch = /^\.+ +\d+: ([0-9a-f]{16}) -> ([0-9a-f]{16})/.exec(line);
    if (line.includes('PERF_RECORD_SAMPLE')) end();
    else if (branch) branches.push(`${short(branch[1], '0x')}/${short(branch[2], '0x')}/P/-/-/0`);
    else if (frame) lines.push(`\t${short(frame[1]).padStart(16)}`);
  }
  end();
  writeFileSync(join(folder, script), `${lines.join('\n')}\n`);
  return script;
}

const short = (digits = '', before = '') => before + BigInt(`0x${digits}`).toString(16);

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
        expect(theirs.output?.length).toBeGreaterThan(program.isTiny ? 10 : 100);
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

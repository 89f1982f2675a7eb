import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSame, expectSameButForOrder } from './compare.js';
import { ARM_DYNAMIC, AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { cli, fleetPython, repository, run, shell, testWith } from './tools.js';

const PROBES = '-fdebug-info-for-profiling -fpseudo-probe-for-profiling';
const FRAMES = '-fno-omit-frame-pointer';
const WHOLE = `${FRAMES} -fno-optimize-sibling-calls`;
const arm = ['ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'] as const;
const armClang = `${CLANG} --target=aarch64-linux-gnu -fuse-ld=lld ${FRAMES}`;
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
    build: [`${armClang} ${ARM_DYNAMIC} ${AUTOFDO} ${codec} -o program`],
  },
  {
    name: 'stacks-aarch64-probes',
    tools: arm,
    build: [`${armClang} -static ${PROBES} ${codec} -o program`],
    record: 'period=997 callchain=fp',
    probes: true,
  },
].map((program) => ({ record: 'period=997 callchain=1', ...program }));

const switches = '$programs/stack-switches.c $programs/stack-switches.S';
const library = '-fPIC -shared $programs/calls-back.c -o libcalls-back.so';

/** Programs that use their stacks in unusual ways. They are tested in fewer modes. */
const unusual: Program[] = [
  {
    name: 'stacks-switched',
    build: [
      `${CLANG} ${PROBES} ${FRAMES} ${library}`,
      `${CLANG} ${PROBES} ${FRAMES} -fno-plt ${switches} -o program -lpthread`,
    ],
    probes: true,
  },
  {
    name: 'stacks-switched-gcc',
    build: [`gcc -O2 -g ${FRAMES} ${library}`, `gcc -O2 -g ${FRAMES} ${switches} -o program -lpthread`],
    record: 'period=499 callchain=fp',
  },
  {
    name: 'stacks-switched-aarch64',
    tools: arm,
    build: [
      `${armClang} ${AUTOFDO} ${library}`,
      `${armClang} ${ARM_DYNAMIC} ${AUTOFDO} ${switches} -o program`,
    ],
    record: 'period=499 callchain=fp',
  },
  {
    name: 'stacks-of-a-library',
    build: [
      `${CLANG} ${AUTOFDO} ${WHOLE} -Wl,-z,lazy ${library}`,
      `${CLANG} ${AUTOFDO} ${switches} -o program -lpthread`,
    ],
    binary: 'libcalls-back.so',
    record: 'period=199 callchain=1',
  },
  {
    name: 'stacks-exceptions',
    tools: ['ld.lld-22'],
    build: [
      `${CLANGXX} ${PROBES} ${FRAMES} -fsplit-machine-functions -ffunction-sections -fuse-ld=lld $programs/exceptions.cpp -o program`,
    ],
    record: 'period=997 callchain=fp',
    probes: true,
  },
  {
    name: 'stacks-awaits',
    tools: ['ld.lld-22'],
    build: [
      `${CLANGXX} -std=c++20 ${PROBES} ${FRAMES} -flto=thin -fuse-ld=lld $programs/awaits.cpp -o program`,
    ],
    record: 'period=499 callchain=fp',
    probes: true,
  },
  {
    name: 'stacks-tasks',
    tools: ['rustc'],
    build: [
      'rustc --edition 2021 $programs/tasks.rs -o program -C opt-level=3 -g -C force-frame-pointers=yes -C symbol-mangling-version=v0',
    ],
    record: 'period=997 callchain=fp',
  },
  {
    name: 'stacks-tail-circles',
    build: [`${CLANGXX} -fdebug-info-for-profiling ${FRAMES} $programs/tail-circles.cpp -o program`],
  },
  {
    name: 'stacks-tail-circles-probes',
    build: [`clang++-22 -O1 -g ${PROBES} ${FRAMES} $programs/tail-circles.cpp -o program`],
    // The order of a hash table decides which paths llvm-profgen finds in circles of tail calls.
    flags: ['--infer-missing-frames=0'],
    probes: true,
  },
].map((program) => ({ record: 'period=997 callchain=1', ...program }));

/** Returns the text of the recording in a folder, for llvm-profgen. */
function scriptOf(folder: string): string {
  const script = 'perf.script';
  if (!existsSync(join(folder, script))) shell(`${withChains} perf.data > ${script}`, folder);
  return script;
}

/** Returns the traces of the recording in a folder. */
function tracesOf(folder: string): string {
  const traces = 'perf.parquet';
  if (!existsSync(join(folder, traces))) {
    const collected = run(
      process.execPath,
      [cli, 'collect', '--perfdata', 'perf.data', '-o', traces],
      folder,
    );
    expect(collected).toMatchObject({ status: 0 });
    expect(collected.stderr).not.toMatch(/^warning: /m);
  }
  return traces;
}

/** The modes of the tests. llvm-profgen 22 crashes if all recursion is kept and the pre-inliner runs. */
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

const FEW_MODES = [
  [],
  ['--skip-symbolization', '--csprof-max-unsymbolized-context-depth=3'],
  ['--gen-cs-nested-profile=0', '--csprof-max-cold-context-depth=2', '--profile-summary-hot-count=200'],
  ['--csspgo-preinliner=0', '--trim-cold-profile', '--profile-summary-cold-count=30'],
  ['--show-density', '--show-detailed-warning'],
];

for (const program of [...programs, ...unusual]) {
  const modes = programs.includes(program) ? MODES : FEW_MODES;
  const input = [`--binary=${program.binary ?? 'program'}`, ...(program.flags ?? [])];
  const tools = ['clang-22' as const, 'perf' as const, ...(program.tools ?? [])];
  describe(`call stacks of ${program.name}`, () => {
    for (const flags of modes) {
      testWith(tools, `text ${flags.join(' ')}`, () => {
        const { folder } = recorded(program);
        const text = [...input, `--perfscript=${scriptOf(folder)}`, '--format=text', ...flags];
        const theirs = llvmProfgen(folder, text);
        expect(theirs.output?.length).toBeGreaterThan(100);
        const compatible = oursCompatible(folder, text);
        expectSame(compatible, theirs, true);
        expect(compatible.warnings.toSorted()).toEqual(theirs.warnings.toSorted());
        expectSame(ours(folder, text), theirs, true);
        const recording = [...input, '--perfdata=perf.data', '--format=text', ...flags];
        expectSame(ours(folder, recording), theirs, true);
        const traces = [...input, `--traces=${tracesOf(folder)}`, '--format=text', ...flags];
        expectSame(ours(folder, traces), theirs, true);
      });
    }

    testWith(tools, 'extbinary', () => {
      const { folder } = recorded(program);
      for (const flags of [
        [],
        ['--use-md5'],
        ['--populate-profile-symbol-list'],
        ['--gen-cs-nested-profile=0'],
        ['--csspgo-preinliner=0'],
      ]) {
        const theirs = llvmProfgen(folder, [...input, `--perfscript=${scriptOf(folder)}`, ...flags]);
        const found = ours(folder, [...input, '--perfdata=perf.data', ...flags]);
        expectSameButForOrder(found, theirs, folder);
        expectSame(ours(folder, [...input, `--traces=${tracesOf(folder)}`, ...flags]), found, false);
      }
    });

    // The other programs include assembly that sets up no frame pointers.
    if (programs.includes(program)) {
      testWith(tools, 'no warning names frame pointers', () => {
        const { folder } = recorded(program);
        const { stderr } = ours(folder, [...input, '--perfdata=perf.data', '--format=text']);
        expect(stderr).not.toMatch(/frame pointer/);
      });
    }

    testWith(tools, 'the profile does not depend on the number of threads', () => {
      const { folder } = recorded(program);
      for (const samples of [
        '--perfdata=perf.data',
        `--perfscript=${scriptOf(folder)}`,
        `--traces=${tracesOf(folder)}`,
      ]) {
        const [one, ...others] = ['1', '2', '7'].map((jobs) =>
          ours(folder, [...input, samples, `--jobs=${jobs}`]),
        );
        for (const other of others) expectSame(other, one ?? other, false);
      }
    });

    testWith(tools, 'counters give the same profile when they are read', () => {
      const { folder } = recorded(program);
      const recording = [...input, '--perfdata=perf.data'];
      const counters = ours(folder, [...recording, '--skip-symbolization']).output ?? Buffer.of();
      writeFileSync(join(folder, 'contexts.counters'), counters);
      const again = [...input, '--unsymbolized-profile=contexts.counters', '--format=text'];
      if (program.probes) {
        expectSame(ours(folder, again), ours(folder, [...recording, '--format=text']), true);
      } else {
        expectSame(ours(folder, again), llvmProfgen(folder, again), true);
      }
    });
  });
}

describe('traces with call chains', () => {
  for (const program of programs.filter(({ name }) => /-(c|tail-calls|aarch64-probes)$/.test(name))) {
    const tools = ['clang-22', 'perf', fleetPython, ...(program.tools ?? [])];
    testWith(tools, `of ${program.name}, added up by DuckDB, give the contexts of the recordings`, () => {
      const { folder } = recorded(program);
      const parts = ['first.parquet', 'second.parquet'];
      for (const part of parts) copyFileSync(join(folder, tracesOf(folder)), join(folder, part));
      const sql = `import duckdb
duckdb.sql("""COPY (SELECT * REPLACE (SUM(count)::UBIGINT AS count, SUM(mispredicted)::UBIGINT AS mispredicted)
  FROM read_parquet(${JSON.stringify(parts).replaceAll('"', "'")}) GROUP BY ALL) TO 'sum.parquet'""")`;
      expect(run(fleetPython, ['-c', sql], folder)).toMatchObject({ status: 0, stderr: '' });
      const modes = [
        [],
        ['--csspgo-preinliner=0', '--gen-cs-nested-profile=0'],
        ['--skip-symbolization'],
        ['--ignore-stack-samples'],
      ];
      for (const flags of modes) {
        const all = ['--binary=program', '--format=text', ...(program.flags ?? []), ...flags];
        const twice = ours(folder, [...all, '--perfdata=perf.data', '--perfdata=perf.data']);
        expectSame(ours(folder, [...all, '--traces=sum.parquet']), twice, true);
        expectSame(ours(folder, [...all, ...parts.map((part) => `--traces=${part}`)]), twice, true);
      }
    });
  }
});

describe('collect --ignore-stack-samples', () => {
  const program = programs.find(({ name }) => name === 'stacks-c');
  testWith(['clang-22', 'perf'], 'leaves call chains out, and the profile is flat', () => {
    if (program === undefined) throw new Error('no such program');
    const { folder } = recorded(program);
    const collect = ['collect', '--perfdata', 'perf.data', '--ignore-stack-samples', '-o', 'small.parquet'];
    expect(run(process.execPath, [cli, ...collect], folder)).toMatchObject({ status: 0 });
    const size = (name: string) => statSync(join(folder, name)).size;
    expect(size('small.parquet')).toBeLessThan(size(tracesOf(folder)));
    const inspect = (name: string) => run(process.execPath, [cli, 'inspect', name], folder).stdout;
    expect(inspect('small.parquet')).toMatch(/ call chains left out$/m);
    expect(inspect('small.parquet')).not.toMatch(/ samples with call chains$/m);
    expect(inspect(tracesOf(folder))).toMatch(/^user .*\/program .* samples with call chains$/m);
    const flags = ['--binary=program', '--format=text', '-v', '--traces=small.parquet'];
    const flat = ours(folder, flags);
    expect(flat.stderr).toMatch(
      /^note: .* had call chains, which were left out when the traces were collected/m,
    );
    expect(flat.output?.toString()).not.toBe(
      ours(folder, ['--binary=program', '--format=text', '--perfdata=perf.data']).output?.toString(),
    );
  });
});

describe('if a coroutine is inlined at a call without a probe', () => {
  const program: Program = {
    name: 'stacks-coroutine',
    build: [`${CLANGXX} -std=c++20 ${PROBES} ${WHOLE} $programs/generator.cpp -o program`],
    record: 'period=97 callchain=1',
  };
  for (const flags of [[], ['--csspgo-preinliner=0'], ['--gen-cs-nested-profile=0']]) {
    testWith(['clang-22', 'perf'], `contexts begin after the call ${flags.join(' ')}`, () => {
      const { folder } = recorded(program);
      const text = ['--binary=program', `--perfscript=${scriptOf(folder)}`, '--format=text', ...flags];
      const theirs = llvmProfgen(folder, text);
      expect(theirs.output?.toString()).toContain('_Z8count_toi');
      expectSame(ours(folder, text), theirs, true);
      expectSame(oursCompatible(folder, text), theirs, true);
    });
  }
});

describe('if code without debug information calls all functions', () => {
  const program: Program = {
    name: 'stacks-static',
    build: [`${CLANG} -static ${AUTOFDO} ${WHOLE} ${codec} -o program`],
    record: 'period=997 callchain=1',
  };
  testWith(['clang-22', 'perf'], 'no context can be named, and the error has a remedy', () => {
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

describe('a program without frame pointers', () => {
  const program: Program = {
    name: 'stacks-without-frame-pointers',
    build: [`${CLANG} ${AUTOFDO} -fno-optimize-sibling-calls $programs/signals.c -o program -lpthread`],
    record: 'period=101 callchain=fp',
  };
  testWith(['clang-22', 'perf'], 'gets a warning that names it and the flags to use', () => {
    const { folder } = recorded(program);
    const { warnings } = ours(folder, ['--binary=program', '--perfdata=perf.data', '--format=text']);
    expect(warnings.join('\n')).toMatch(
      /functions that set up no frame pointer, such as \w+\..* -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer /,
    );
    const doctor = run(
      process.execPath,
      [cli, 'doctor', '--binary', 'program', '--perfdata', 'perf.data'],
      folder,
    );
    expect(doctor.stdout).toMatch(/^note .* set up no frame pointer/m);
  });
});

const newest = join(process.env['AUTOFDO_LLVM_23'] ?? '', 'clang++');

describe('clang compiles a program with the profile of its call stacks', () => {
  const subjects = [
    // clang writes the probes in object files in another order each time. In assembly they are in a fixed order.
    { name: 'stacks-tail-calls', source: 'calls.cpp', build: [...PROBES.split(' '), '-S'] },
    { name: 'stacks-tail-circles', source: 'tail-circles.cpp', build: ['-fdebug-info-for-profiling', '-c'] },
  ];
  const forms = ['--format=text', '--format=extbinary'].flatMap((format) => [
    [format],
    [format, '--gen-cs-nested-profile=0'],
  ]);
  for (const { name, source, build } of subjects) {
    const program = [...programs, ...unusual].find((one) => one.name === name);
    if (program === undefined) throw new Error('no such program');
    for (const clang of ['clang++-22', newest]) {
      if (clang === newest && !existsSync(newest)) {
        test.skip(`${name} with LLVM 23.1 (missing: AUTOFDO_LLVM_23, the folder of its programs)`);
        continue;
      }
      testWith(['clang-22', 'perf'], `${name} with ${basename(clang)}, as llvm-profgen's`, () => {
        const { folder } = recorded(program);
        const compiled = (profile: Buffer | undefined) => {
          writeFileSync(join(folder, 'used.afdo'), profile ?? Buffer.of());
          const use = profile ? ['-fprofile-sample-use=used.afdo'] : [];
          const file = join(import.meta.dirname, 'programs', source);
          const flags = ['-O2', '-g', '-Wall', ...build, ...use, file, '-o', 'used.o'];
          expect(run(clang, flags, folder)).toMatchObject({ status: 0, stderr: '' });
          return readFileSync(join(folder, 'used.o'));
        };
        const plain = compiled(undefined);
        for (const form of forms) {
          const text = ['--binary=program', `--perfscript=${scriptOf(folder)}`, ...form];
          const theirs = compiled(llvmProfgen(folder, text).output);
          const found = compiled(ours(folder, ['--binary=program', '--perfdata=perf.data', ...form]).output);
          expect(found.equals(theirs), `the same code, ${form.join(' ')}`).toBe(true);
          expect(found.equals(plain), 'the profile matters').toBe(false);
        }
      });
    }
  }
});

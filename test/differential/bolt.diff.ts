import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { cli, type Run, run, testWith } from './tools.js';

const TOOLS = ['perf2bolt-22', 'llvm-bolt-22'];
const FLAGS = ['-reorder-blocks=ext-tsp', '-reorder-functions=cdsort', '-split-functions', '-dyno-stats'];
const relocations = '-Wl,-q';
const record = 'period=97 mispredictions=on';

const codec: Program = {
  name: 'bolt-codec',
  build: [`clang-22 -O2 ${relocations} $programs/codec.c $programs/codec-main.c -o program`],
  record,
};

const sameNames = '$programs/same-names.c $programs/same-names-main.c -o program';
const exceptions = '-std=c++20 -O2 $programs/shapes.cpp -o program';
const aarch64 = 'clang-22 --target=aarch64-linux-gnu -O2 -static -fuse-ld=lld';
const forAarch64 = ['ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'];
const interpreter: Program = {
  name: 'bolt-aarch64',
  tools: forAarch64,
  build: [`${aarch64} ${relocations} $programs/interpreter.c -o program`],
  record: 'period=97 max=6000 mispredictions=on',
};

const programs: Program[] = [
  codec,
  { name: 'bolt-same-names', build: [`clang-22 -O2 ${relocations} ${sameNames}`], record },
  { name: 'bolt-same-names-no-pie', build: [`gcc -O2 -no-pie ${relocations} ${sameNames}`], record },
  { name: 'bolt-no-relocations', build: [`gcc -O2 ${sameNames}`], record },
  { name: 'bolt-exceptions', build: [`clang++-22 ${relocations} ${exceptions}`], record },
  { name: 'bolt-exceptions-gcc', build: [`g++ ${relocations} ${exceptions}`], record },
  {
    name: 'bolt-containers',
    build: [`clang++-22 -std=c++20 -O2 ${relocations} $programs/containers.cpp -o program`],
    record: 'period=997 mispredictions=on',
  },
  {
    name: 'bolt-switch',
    build: [`gcc -O2 ${relocations} $programs/interpreter.c -o program`],
    record: 'period=997 mispredictions=on',
  },
  interpreter,
  {
    name: 'bolt-gcc-no-pie',
    build: [`gcc -O2 -no-pie ${relocations} $programs/codec.c $programs/codec-main.c -o program`],
    record,
  },
  {
    // Functions of glibc have tables of jumps that lie next to each other.
    name: 'bolt-static',
    build: [`gcc -O2 -static ${relocations} $programs/codec.c $programs/codec-main.c -o program`],
    record,
  },
  {
    name: 'bolt-calls-between-files',
    build: [
      'gcc -O2 -fPIC -shared $programs/relay-second.c -o libsecond.so',
      'gcc -O2 -fPIC -shared $programs/relay-first.c -L. -lsecond -o libfirst.so',
      `gcc -O2 ${relocations} $programs/relay-main.c -L. -lfirst -lsecond -Wl,-rpath,. -o program`,
    ],
    record,
  },
  {
    // lld places the stubs of calls into other files after the code.
    name: 'bolt-lld',
    tools: ['ld.lld-22'],
    build: [`clang++-22 -O2 -std=c++20 -fuse-ld=lld ${relocations} $programs/containers.cpp -o program`],
    record: 'period=997 mispredictions=on',
  },
  {
    name: 'bolt-threads',
    build: [`clang-22 -O2 ${relocations} $programs/threads.c -lpthread -o program`],
    record,
  },
];

/** Runs perf2bolt on a recording, or on the traces that this project makes of it. */
function fdata(folder: string, name: string, input: readonly string[]): string {
  const { status, stdout, stderr } = run('perf2bolt-22', [...input, '-o', name, 'program'], folder);
  expect(status, stdout + stderr).toBe(0);
  return readFileSync(join(folder, name), 'utf8');
}

/** Makes this project's file for BOLT from the recording. Returns the path of the file. */
function made(folder: string, format: 'preaggregated' | 'fdata'): string {
  const { status, stderr, output } = ours(folder, [
    '--binary=program',
    '--perfdata=perf.data',
    `--format=${format}`,
  ]);
  expect(status, stderr).toBe(0);
  const path = join(folder, `made.${format}`);
  writeFileSync(path, output ?? '');
  return path;
}

/** Returns the share of each line of fdata in all executions. */
function parts(fdata: string): Map<string, number> {
  const rows = [...fdata.matchAll(/^(.*) \d+ (\d+)$/gm)];
  const sum = rows.reduce((total, [, , count]) => total + Number(count), 0);
  return new Map(rows.map(([, edge = '', count]) => [edge, Number(count) / sum]));
}

describe('traces for BOLT', () => {
  for (const program of programs) {
    const tools = [...TOOLS, ...(program.tools ?? [])];
    testWith(tools, `give the same result of perf2bolt as the recording: ${program.name}`, () => {
      const { folder, perfData } = recorded(program);
      const expected = fdata(folder, 'expected.fdata', ['-p', perfData]);
      expect(expected.split('\n').length).toBeGreaterThan(20);
      const mispredictions = expected.split('\n').map((line) => Number(line.split(' ')[6] ?? 0));
      expect(mispredictions.some((count) => count > 0)).toBe(true);
      expect(fdata(folder, 'found.fdata', ['-pa', '-p', made(folder, 'preaggregated')])).toBe(expected);
      expect(readFileSync(made(folder, 'fdata'), 'utf8')).toBe(expected);
    });

    testWith(tools, `are the same from trace shards: ${program.name}`, () => {
      const { folder } = recorded(program);
      const collect = ['collect', '--perfdata', 'perf.data', '-o', 'shard.parquet', '-q'];
      const collected = run(process.execPath, [cli, ...collect], folder);
      expect(collected.status, collected.stderr).toBe(0);
      for (const format of ['preaggregated', 'fdata'] as const) {
        const ofShard = ours(folder, ['--binary=program', '--traces=shard.parquet', `--format=${format}`]);
        expect(ofShard.output).toEqual(readFileSync(made(folder, format)));
      }
    });
  }

  for (const kind of ['pbt', '1']) {
    const sampled: Program = {
      ...interpreter,
      name: `bolt-arm-spe-${kind}`,
      record: `spe=${kind} period=31`,
    };
    testWith([...TOOLS, ...forAarch64], `are similar to traces of branch stacks: ${sampled.name}`, () => {
      const { folder } = recorded(sampled);
      const found = readFileSync(made(folder, 'fdata'), 'utf8');
      expect(fdata(folder, 'found.fdata', ['-pa', '-p', made(folder, 'preaggregated')])).toBe(found);
      const [a, b] = [parts(found), parts(readFileSync(made(recorded(interpreter).folder, 'fdata'), 'utf8'))];
      // If the CPU does not tell the branch before, edges without a branch are missing.
      const least = kind === 'pbt' ? 0.95 : 0.85;
      const shared = [...a].reduce((sum, [edge, part]) => sum + Math.min(part, b.get(edge) ?? 0), 0);
      expect(shared).toBeGreaterThan(least);
      const bolted = run(
        'llvm-bolt-22',
        ['program', '-o', 'bolted', '-data', 'made.fdata', ...FLAGS],
        folder,
      );
      expect(bolted.status, bolted.stderr).toBe(0);
      const output = (name: string): Run => run('qemu-aarch64', [`./${name}`], folder);
      expect(output('program').stdout).not.toBe('');
      expect(output('bolted')).toEqual(output('program'));
    });
  }

  for (const format of ['preaggregated', 'fdata'] as const) {
    testWith(TOOLS, `let llvm-bolt optimise a program that still works: ${format}`, () => {
      const { folder } = recorded(codec);
      const input = format === 'fdata' ? ['-data'] : ['-pa', '-p'];
      const bolted = run(
        'llvm-bolt-22',
        ['program', '-o', 'bolted', ...input, made(folder, format), ...FLAGS],
        folder,
      );
      expect(bolted.status, bolted.stderr).toBe(0);
      const [, change = ''] = /taken branches \((-?[\d.]+)%\)/.exec(bolted.stdout) ?? [];
      expect(Number(change)).toBeLessThan(0);
      const output = (name: string): Run => run(`./${name}`, [], folder);
      expect(output('program').stdout).not.toBe('');
      expect(output('bolted')).toEqual(output('program'));
    });
  }

  testWith(TOOLS, 'are refused for a program that BOLT has made', () => {
    const { folder } = recorded(codec);
    const flags = ['-enable-bat', '-data', made(folder, 'fdata'), ...FLAGS];
    expect(run('llvm-bolt-22', ['program', '-o', 'with-table', ...flags], folder).status).toBe(0);
    const { status, stderr } = ours(folder, [
      '--binary=with-table',
      '--perfdata=perf.data',
      '--format=fdata',
    ]);
    expect(status).toBe(1);
    expect(stderr).toContain('--format=preaggregated');
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { cli, type Run, run, testWith } from './tools.js';

const TOOLS = ['perf2bolt-22', 'llvm-bolt-22'];
const relocations = '-Wl,-q';
const record = 'period=97 mispredictions=on';

const codec: Program = {
  name: 'bolt-codec',
  build: [`clang-22 -O2 ${relocations} $programs/codec.c $programs/codec-main.c -o program`],
  record,
};

const programs: Program[] = [
  codec,
  {
    name: 'bolt-gcc-no-pie',
    build: [`gcc -O2 -no-pie ${relocations} $programs/codec.c $programs/codec-main.c -o program`],
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
    name: 'bolt-threads',
    build: [`clang-22 -O2 ${relocations} $programs/threads.c -lpthread -o program`],
    record,
  },
];

/** Aggregated by perf2bolt, from the recording or from the traces that this project makes of it. */
function fdata(folder: string, name: string, input: readonly string[]): string {
  const { status, stdout, stderr } = run('perf2bolt-22', [...input, '-o', name, 'program'], folder);
  expect(status, stdout + stderr).toBe(0);
  return readFileSync(join(folder, name), 'utf8');
}

function traces(folder: string): string {
  const { status, stderr, output } = ours(folder, [
    '--binary=program',
    '--perfdata=perf.data',
    '--format=preaggregated',
  ]);
  expect(status, stderr).toBe(0);
  const collected = run(
    process.execPath,
    [cli, 'collect', '--perfdata', 'perf.data', '-o', 'shard.parquet', '-q'],
    folder,
  );
  expect(collected.status, collected.stderr).toBe(0);
  const ofShard = ours(folder, ['--binary=program', '--traces=shard.parquet', '--format=preaggregated']);
  expect(ofShard.output, 'of a trace shard').toEqual(output);
  const path = join(folder, 'traces.preagg');
  writeFileSync(path, output ?? '');
  return path;
}

describe('traces for BOLT', () => {
  for (const program of programs) {
    testWith(TOOLS, `${program.name}: perf2bolt makes the same of them as of the recording`, () => {
      const { folder, perfData } = recorded(program);
      const expected = fdata(folder, 'expected.fdata', ['-p', perfData]);
      expect(expected.split('\n').length).toBeGreaterThan(20);
      const mispredictions = expected.split('\n').map((line) => Number(line.split(' ')[6] ?? 0));
      expect(mispredictions.some((count) => count > 0)).toBe(true);
      expect(fdata(folder, 'found.fdata', ['-pa', '-p', traces(folder)])).toBe(expected);
    });
  }

  testWith(TOOLS, 'llvm-bolt optimises with them, and the program still works', () => {
    const { folder } = recorded(codec);
    const flags = ['-reorder-blocks=ext-tsp', '-reorder-functions=cdsort', '-split-functions', '-dyno-stats'];
    const bolted = run(
      'llvm-bolt-22',
      ['program', '-o', 'bolted', '-pa', '-p', traces(folder), ...flags],
      folder,
    );
    expect(bolted.status, bolted.stderr).toBe(0);
    const [, change = ''] = /taken branches \((-?[\d.]+)%\)/.exec(bolted.stdout) ?? [];
    expect(Number(change)).toBeLessThan(0);
    const output = (name: string): Run => run(`./${name}`, [], folder);
    expect(output('program').stdout).not.toBe('');
    expect(output('bolted')).toEqual(output('program'));
  });
});

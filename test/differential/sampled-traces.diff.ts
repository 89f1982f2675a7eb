import { describe, expect } from 'vitest';
import { ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { cli, fleetPython as python, run, testWith } from './tools.js';

const FLAGS = '-g -fdebug-info-for-profiling';
const codec = '$programs/codec.c $programs/codec-main.c -o program';
const arm = `clang-22 --target=aarch64-linux-gnu -static -fuse-ld=lld -O2 ${FLAGS} ${codec}`;
const armTools = ['qemu-aarch64', 'ld.lld-22', '/usr/aarch64-linux-gnu/lib/crt1.o'];

/** Recordings without branch stacks, and the formats that they give. */
const programs: (Program & { formats: string[] })[] = [
  {
    name: 'traces-of-addresses',
    build: [`clang-22 -O2 ${FLAGS} ${codec}`],
    record: 'addresses=on skid=on period=1511',
    formats: ['text', 'extbinary', 'binary'],
  },
  {
    name: 'traces-of-call-chains',
    build: [`clang-22 -O2 ${FLAGS} $programs/dispatch.c -o program`],
    record: 'addresses=on callchain=1 period=4001',
    formats: ['text', 'extbinary', 'binary'],
  },
  {
    name: 'traces-of-arm-spe-pbt',
    tools: armTools,
    build: [arm],
    record: 'spe=pbt period=31',
    formats: ['text', 'extbinary', 'binary', 'preaggregated', 'fdata'],
  },
  {
    name: 'traces-of-arm-spe',
    tools: armTools,
    build: [arm],
    record: 'spe=1 period=31',
    formats: ['text', 'extbinary', 'binary', 'preaggregated'],
  },
];

const SUM = `import duckdb
duckdb.sql("""COPY (SELECT * REPLACE (SUM(count)::UBIGINT AS count, SUM(mispredicted)::UBIGINT AS mispredicted)
  FROM read_parquet('shards/*.parquet') GROUP BY ALL) TO 'sum.parquet'""")`;

describe('traces of recordings without branch stacks', () => {
  for (const { formats, ...program } of programs) {
    testWith(
      [python, 'clang-22', ...(program.tools ?? [])],
      `give the profile of the recordings, added up by DuckDB or not: ${program.name}`,
      () => {
        const { folder } = recorded(program);
        const check = (done: { status: number | null; stderr: string }) =>
          expect(done.status, done.stderr).toBe(0);
        for (const name of ['first', 'second']) {
          const to = ['-o', `shards/${name}.parquet`, '-q'];
          check(run('mkdir', ['-p', 'shards'], folder));
          check(run(process.execPath, [cli, 'collect', '--perfdata', 'perf.data', ...to], folder));
        }
        check(run(python, ['-c', SUM], folder));
        for (const format of formats) {
          const generate = (...input: string[]) => {
            const done = ours(folder, ['--binary=program', `--format=${format}`, ...input]);
            check(done);
            return done.output?.toString('latin1');
          };
          const expected = generate('--perfdata=perf.data', '--perfdata=perf.data');
          expect(expected?.length).toBeGreaterThan(100);
          for (const traces of ['sum.parquet', 'shards', 'shards/*.parquet']) {
            for (const jobs of [1, 2]) {
              expect(generate(`--traces=${traces}`, `--jobs=${jobs}`), `${format} ${traces}`).toBe(expected);
            }
          }
        }
      },
    );
  }
});

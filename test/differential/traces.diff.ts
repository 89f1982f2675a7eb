import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli, hasModule, fleetPython as python, repository, run, shell, testWith } from './tools.js';

const examples = join(repository, 'examples/fleet');

/** Recorded programs in C, C++ and Rust. */
const PROGRAMS = ['calc-x86_64/calc', 'shapes-cpp/shapes', 'life-rust/life'];
const DAYS = ['2026-11-27', '2026-11-28', '2026-11-29'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-traces-'));
  collectDays();
});
afterAll(() => rmSync(folder, { recursive: true }));

function autofdoGen(...args: string[]) {
  const done = run(process.execPath, [cli, ...args], folder);
  expect(done.stderr).not.toMatch(/^error/m);
  expect(done.status).toBe(0);
  return done;
}

/** Makes a folder of traces as hosts fill it: each day has some of the programs. */
function collectDays(): void {
  mkdirSync(join(folder, 'binaries'));
  for (const [index, program] of PROGRAMS.entries()) {
    const [fixture = '', name = ''] = program.split('/');
    copyFileSync(join(repository, 'fixtures', program), join(folder, 'binaries', name));
    const perfData = join(repository, 'fixtures', fixture, 'perf.data');
    for (const day of DAYS.slice(index))
      autofdoGen('collect', '--perfdata', perfData, '-o', `spool/day=${day}`);
  }
}

/** Makes a folder of programs with the command under the name that users call. */
function commandFolder(): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'autofdo-gen'), `#!/bin/sh\nexec ${process.execPath} ${cli} "$@"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(bin, 'python3'), `#!/bin/sh\nexec ${python} "$@"\n`, { mode: 0o755 });
  return bin;
}

const profiles = (of: string) =>
  readdirSync(join(folder, of))
    .sort()
    .map((name) => [name, readFileSync(join(folder, of, name)).toString('base64')]);

/** A Python script that prints all rows of files, sorted, as pyarrow reads them. */
const READ = `
import sys, pyarrow.dataset as dataset, pyarrow as pa
keys = ["record", "build_id", "path", "kind", "event", "arch", "branch_from", "branch_to", "run_end", "newest", "stack_end", "crosses_kernel", "via", "patch", "exact", "taken", "run_start", "branch_stack", "call_chain", "has_call_chain"]
schema = pa.schema([(name, pa.bool_() if name in ("newest", "crosses_kernel", "exact", "taken", "has_call_chain") else pa.uint64() if name in ("branch_from", "branch_to", "run_end", "stack_end", "run_start") else pa.string()) for name in keys] + [("count", pa.uint64()), ("mispredicted", pa.uint64())])
table = dataset.dataset(sys.argv[1], partitioning=dataset.partitioning(pa.schema([("build_id", pa.string())]), flavor="hive") if "--hive" in sys.argv else None).to_table()
table = pa.table([table[name].cast(schema.field(name).type) for name in schema.names], schema=schema)
for row in sorted(map(str, table.to_pylist())): print(row)
`;

function rows(of: string, ...flags: string[]): string[] {
  const done = run(python, ['-c', READ, of, ...flags], folder);
  expect(done.stderr).toBe('');
  return done.stdout.trim().split('\n');
}

describe('traces', () => {
  testWith([python], 'are read by pyarrow, with the counts that inspect prints', () => {
    const [day = ''] = DAYS;
    const [file = ''] = readdirSync(join(folder, `spool/day=${day}`));
    const path = join(folder, `spool/day=${day}`, file);
    const summary = JSON.parse(autofdoGen('inspect', path, '--json').stdout);
    const total = `import sys, pyarrow.parquet as parquet, pyarrow.compute as compute
table = parquet.read_table(sys.argv[1]).filter(compute.field("record") == "branch")
print(table.num_rows, compute.sum(table["count"]), compute.sum(table["mispredicted"]))`;
    const found = run(python, ['-c', total, path], folder).stdout.trim().split(' ').map(Number);
    const sum = (key: string) =>
      summary.binaries.reduce((all: number, binary: Record<string, number>) => all + (binary[key] ?? 0), 0);
    expect(found).toEqual([sum('rows'), sum('count'), sum('mispredicted')]);
    expect(found[0]).toBeGreaterThan(100);
  });

  testWith([python], 'added up by DuckDB give the profile of all recordings', () => {
    const sql = `import duckdb
duckdb.sql("""COPY (SELECT * REPLACE (SUM(count)::UBIGINT AS count, SUM(mispredicted)::UBIGINT AS mispredicted)
  FROM read_parquet('spool/*/*.parquet', hive_partitioning=false) GROUP BY ALL) TO 'sum.parquet'""")`;
    const done = run(python, ['-c', sql], folder);
    expect(done.stderr).toBe('');
    for (const [index, program] of PROGRAMS.entries()) {
      const [fixture = '', name = ''] = program.split('/');
      const perfData = join(repository, 'fixtures', fixture, 'perf.data');
      const recordings = DAYS.slice(index).map(() => ['--perfdata', perfData]);
      const binary = ['--binary', `binaries/${name}`];
      for (const format of ['text', 'extbinary', 'preaggregated', 'fdata']) {
        const to = (which: string) => ['-q', `--format=${format}`, '-o', `${which}.afdo`];
        autofdoGen(...binary, ...recordings.flat(), ...to('recorded'));
        autofdoGen(...binary, '--traces', 'sum.parquet', ...to('summed'));
        autofdoGen(...binary, '--traces', 'spool', ...to('apart'));
        autofdoGen(...binary, '--traces', 'spool/*/*.parquet', ...to('globbed'));
        const [recorded, ...traced] = ['recorded', 'summed', 'apart', 'globbed'].map((which) =>
          readFileSync(join(folder, `${which}.afdo`), 'latin1'),
        );
        expect(recorded?.length).toBeGreaterThan(100);
        for (const found of traced) expect(found).toBe(recorded);
      }
    }
  });

  testWith([python], 'of files without a build id, and of two builds at one path, are told apart', () => {
    const of = `read_parquet('spool/day=${DAYS[0]}/*.parquet', hive_partitioning=false)`;
    const sql = `import duckdb
duckdb.sql("""COPY (SELECT * REPLACE (NULL::VARCHAR AS build_id) FROM ${of}) TO 'nameless.parquet'""")
duckdb.sql("""COPY (FROM ${of} UNION ALL SELECT * REPLACE (reverse(build_id) AS build_id, branch_from + 1 AS branch_from)
  FROM ${of} WHERE record = 'branch') TO 'two-builds.parquet'""")`;
    expect(run(python, ['-c', sql], folder).stderr).toBe('');
    const generate = (flags: string[], to: string) => {
      const { stderr } = autofdoGen('--binary', 'binaries/calc', ...flags, '-o', to);
      return { stderr, profile: readFileSync(join(folder, to), 'latin1') };
    };
    const perfData = join(repository, 'fixtures/calc-x86_64/perf.data');
    for (const format of ['text', 'preaggregated']) {
      const flags = [`--format=${format}`];
      const { profile } = generate([...flags, '--perfdata', perfData], 'recorded.out');
      expect(generate([...flags, '--traces', 'nameless.parquet'], 'nameless.out').profile).toBe(profile);
      const two = generate([...flags, '--traces', 'two-builds.parquet'], 'two-builds.out');
      expect(two.profile).toBe(profile);
      expect(two.stderr).toMatch(/is another build of calc in a part of the recording/);
    }
  });

  testWith([python], 'of both versions of the schema are added up, and serve all uses except BOLT', () => {
    const of = `read_parquet('spool/day=${DAYS[0]}/*.parquet', hive_partitioning=false)`;
    const sql = `import duckdb, os
os.mkdir('mixed')
duckdb.sql("""COPY (SELECT * EXCLUDE (stack_end, crosses_kernel) FROM ${of})
  TO 'mixed/1.parquet' (KV_METADATA {'autofdo.schema_version': '1'})""")
duckdb.sql("""COPY (FROM ${of}) TO 'mixed/2.parquet' (KV_METADATA {'autofdo.schema_version': '2'})""")
duckdb.sql("""COPY (SELECT * REPLACE (SUM(count)::UBIGINT AS count, SUM(mispredicted)::UBIGINT AS mispredicted)
  FROM read_parquet('mixed/*.parquet', union_by_name=true) GROUP BY ALL) TO 'both.parquet'""")`;
    expect(run(python, ['-c', sql], folder).stderr).toBe('');
    const generate = (flags: string[], to: string) => {
      autofdoGen('--binary', 'binaries/calc', ...flags, '-q', '-o', to);
      return readFileSync(join(folder, to), 'latin1');
    };
    const perfData = join(repository, 'fixtures/calc-x86_64/perf.data');
    const recorded = generate(['--perfdata', perfData, '--perfdata', perfData], 'twice.afdo');
    for (const traces of ['mixed', 'both.parquet']) {
      expect(generate(['--traces', traces], 'mixed.afdo'), traces).toBe(recorded);
      const flags = ['--traces', traces, '--format=preaggregated', '-q', '-o', 'x'];
      const refused = run(process.execPath, [cli, '--binary', 'binaries/calc', ...flags], folder);
      expect(refused.stderr).toMatch(/^error: .*`crosses_kernel`/);
      expect(refused.stderr).toMatch(/hint: Collect the traces anew with `autofdo-gen collect --perfdata/);
    }
  });

  testWith([python], 'that other programs write as documented give the same profile', () => {
    const documented = /```sql\n(COPY[^`]*)```/.exec(
      readFileSync(join(repository, 'docs/trace-shards.md'), 'utf8'),
    )?.[1];
    const entries = `SELECT build_id, path, branch_from AS source, branch_to AS target, run_end AS next_source, NOT newest AS has_newer, i < mispredicted AS mispredicted
  FROM plain, UNNEST(range(count::BIGINT)) AS numbers(i)`;
    const sql = `import duckdb, sys
duckdb.sql("""COPY (FROM read_parquet('spool/day=${DAYS[0]}/*.parquet') WHERE record = 'branch' AND path LIKE '%/calc'
  AND via IS NULL) TO 'plain.parquet'""")
duckdb.sql("CREATE TABLE plain AS FROM 'plain.parquet'")
duckdb.sql("""CREATE TABLE entries AS ${entries}""")
duckdb.sql(sys.argv[1])`;
    const done = run(python, ['-c', sql, documented ?? ''], folder);
    expect(done.stderr).toBe('');
    const { binaries } = JSON.parse(autofdoGen('inspect', 'mine.parquet', '--json').stdout);
    expect(binaries).toMatchObject([{ kind: 'user', rows: expect.any(Number) }]);
    expect(binaries[0].count).toBeGreaterThan(5000);
    for (const which of ['plain', 'mine']) {
      const flags = ['--traces', `${which}.parquet`, '-q', '-o', `${which}.afdo`];
      autofdoGen('--binary', 'binaries/calc', ...flags);
    }
    const [plain, mine] = ['plain', 'mine'].map((which) =>
      readFileSync(join(folder, `${which}.afdo`), 'latin1'),
    );
    expect(mine).toBe(plain);
    // Also runs that ended outside of the file are what they were, and not runs whose end is not known.
    const compare = `import duckdb
columns = "build_id, path, branch_from, branch_to, run_end, newest"
def table(file): return f"(SELECT {columns}, SUM(count)::BIGINT, SUM(mispredicted)::BIGINT FROM '{file}' GROUP BY ALL)"
[[outside]] = duckdb.sql("SELECT COUNT(*) FROM 'plain.parquet' WHERE run_end IS NULL AND NOT newest").fetchall()
[[differences]] = duckdb.sql(f"SELECT COUNT(*) FROM ({table('plain.parquet')} EXCEPT {table('mine.parquet')})").fetchall()
print(outside > 0, differences)`;
    expect(run(python, ['-c', compare], folder).stdout).toBe('True 0\n');
  });

  testWith([python], 'give the same profile in every form in which Arrow and DuckDB write them', () => {
    const write = `
import duckdb, os, sys, pyarrow as arrow, pyarrow.parquet as parquet
table = parquet.read_table(sys.argv[1])
numbers = [field.name for field in table.schema if arrow.types.is_integer(field.type)]
texts = [field.name for field in table.schema if arrow.types.is_string(field.type)]
def cast(types): return table.cast(arrow.schema([arrow.field(field.name, types.get(field.name, field.type)) for field in table.schema]))
def replace(name, values): return table.set_column(table.schema.get_field_index(name), name, values)
os.mkdir('forms')
def write(name, table, **options): parquet.write_table(table, f'forms/{name}.parquet', **options)
write('default', table)
write('plain', table, use_dictionary=False)
write('second-version-of-pages', table, data_page_version='2.0', compression='zstd')
write('first-version-without-statistics', table, version='1.0', write_statistics=False)
write('page-index', table, write_page_index=True)
write('split-bytes', table, use_dictionary=False, column_encoding={name: 'BYTE_STREAM_SPLIT' for name in numbers})
write('deltas', table, use_dictionary=False, column_encoding={**{name: 'DELTA_BINARY_PACKED' for name in numbers}, **{name: 'DELTA_BYTE_ARRAY' for name in texts}})
write('signed', cast({name: arrow.int64() for name in numbers}))
write('narrow', cast({name: arrow.uint32() for name in numbers}))
write('large-texts', cast({name: arrow.large_string() for name in texts}))
write('dictionaries', arrow.table({name: table[name].dictionary_encode() if name in texts else table[name] for name in table.schema.names}))
write('nullable', arrow.table([table[name] for name in table.schema.names], names=table.schema.names))
write('other-order', table.select(table.schema.names[::-1]))
write('more-columns', table.append_column('team', arrow.array([['a']] * len(table))).append_column('host', arrow.array([{'count': 1}] * len(table))))
write('small-groups', table, row_group_size=7)
write('nulls', replace('patch', arrow.nulls(len(table))))
duckdb.sql(f"COPY (SELECT * REPLACE (NULL AS patch, NULL AS taken, NULL AS run_start) FROM '{sys.argv[1]}') TO 'forms/duckdb-nulls.parquet'")
duckdb.sql(f"COPY (FROM '{sys.argv[1]}') TO 'forms/duckdb-second-version.parquet' (PARQUET_VERSION v2)")
for codec in ('gzip', 'lz4'):
    write(codec, table, compression=codec)
    write(f'{codec}-second-version-of-pages', table, compression=codec, data_page_version='2.0', row_group_size=50)
duckdb.sql(f"COPY (FROM '{sys.argv[1]}') TO 'forms/duckdb-gzip.parquet' (COMPRESSION gzip)")
duckdb.sql(f"COPY (FROM '{sys.argv[1]}') TO 'forms/duckdb-lz4.parquet' (COMPRESSION lz4_raw)")
write('nulls-of-other-types', cast({'branch_stack': arrow.int32(), 'patch': arrow.float64(), 'taken': arrow.string(), 'run_start': arrow.float32()}))
write('capitals', table.rename_columns([name.upper() for name in table.schema.names]))
for form in sorted(os.listdir('forms')): print(form)`;
    const [name = ''] = readdirSync(join(folder, `spool/day=${DAYS[0]}`));
    const file = `spool/day=${DAYS[0]}/${name}`;
    const done = run(python, ['-c', write, file], folder);
    expect(done.stderr).toBe('');
    const forms = done.stdout.trim().split('\n');
    expect(forms).toHaveLength(26);
    const generate = (traces: string) => {
      autofdoGen('--binary', 'binaries/calc', '--traces', traces, '-o', 'form.afdo');
      return readFileSync(join(folder, 'form.afdo'), 'latin1');
    };
    const expected = generate(file);
    for (const form of forms) expect(generate(`forms/${form}`), form).toBe(expected);
  });

  testWith(
    [python],
    'of which a column is in the names of folders, whatever the type of the column is',
    () => {
      const [name = ''] = readdirSync(join(folder, `spool/day=${DAYS[0]}`));
      const file = `spool/day=${DAYS[0]}/${name}`;
      const partition = `import duckdb, sys
names = [column for column, *_ in duckdb.sql(f"DESCRIBE FROM read_parquet('{sys.argv[1]}', hive_partitioning=false)").fetchall()]
for name in names:
    # The texts of \`via\` are longer than a name may be.
    if name not in ('count', 'mispredicted', 'via'):
        duckdb.sql(f"COPY (FROM read_parquet('{sys.argv[1]}', hive_partitioning=false)) TO 'by/{name}' (FORMAT parquet, PARTITION_BY ({name}))")
        print(name)`;
      mkdirSync(join(folder, 'by'));
      const done = run(python, ['-c', partition, file], folder);
      expect(done.stderr).toBe('');
      const columns = done.stdout.trim().split('\n');
      expect(columns).toHaveLength(19);
      for (const format of ['extbinary', 'preaggregated']) {
        const generate = (traces: string) => {
          const args = ['--binary', 'binaries/calc', '--traces', traces, '--format', format];
          autofdoGen(...args, '-o', 'by.out');
          return readFileSync(join(folder, 'by.out'), 'latin1');
        };
        const expected = generate(file);
        for (const column of columns) expect(generate(`by/${column}`), column).toBe(expected);
      }
    },
  );

  testWith([python], 'of other types and compressions are refused, with a remedy', () => {
    const summed = `(SELECT * REPLACE (SUM(count) AS count) FROM read_parquet('spool/*/*.parquet', hive_partitioning=false) GROUP BY ALL)`;
    const all = `(FROM read_parquet('spool/*/*.parquet', hive_partitioning=false))`;
    const sql = `import duckdb, pyarrow, pyarrow.parquet as parquet
duckdb.sql("COPY ${summed} TO 'huge.parquet'")
duckdb.sql("COPY (FROM read_parquet('spool/*/*.parquet', hive_partitioning=false)) TO 'plain.parquet'")
table = parquet.read_table('plain.parquet')
for name, value in [('list', [1]), ('structure', {'sum': 1})]:
    column = table.schema.get_field_index('count')
    parquet.write_table(table.set_column(column, 'count', pyarrow.array([value] * len(table))), f'{name}.parquet')
parquet.write_table(pyarrow.table([*table.columns, table['count']], names=[*table.schema.names, 'COUNT']), 'twice.parquet')
duckdb.sql("COPY ${summed.replace('SUM(count)', 'SUM(count)::DECIMAL(38,0)')} TO 'decimal.parquet'")
duckdb.sql("COPY ${summed.replace('SUM(count)', 'SUM(count)::BIGINT - 1000')} TO 'negative.parquet'")
duckdb.sql("COPY ${all} TO 'brotli.parquet' (COMPRESSION brotli)")
duckdb.sql("COPY ${all} TO 'snappy.parquet' (COMPRESSION snappy)")`;
    expect(run(python, ['-c', sql], folder).stderr).toBe('');
    const generate = (name: string) =>
      run(
        process.execPath,
        [cli, '--binary', 'binaries/calc', '--traces', `${name}.parquet`, '-q', '-o', 'x.afdo'],
        folder,
      );
    for (const name of ['huge', 'decimal']) {
      expect(generate(name).stderr).toMatch(/^error: .*column `count` is .*SUM\(count\)::UBIGINT/);
    }
    expect(generate('negative').stderr).toMatch(/^error: .*column `count` has -\d+ in row \d+/);
    expect(generate('decimal').stderr).toMatch(/ is DECIMAL\(38, 0\), /);
    for (const name of ['list', 'structure']) {
      expect(generate(name).stderr).toMatch(
        /^error: .*column `count` is a list or a structure, and it must be/,
      );
    }
    expect(generate('twice').stderr).toMatch(/^error: .*several columns `count`/);
    const brotli = generate('brotli');
    expect(brotli.stderr).toMatch(/^error: .*column `record` is compressed with brotli/);
    expect(brotli.stderr).toMatch(/hint: .*COMPRESSION zstd/);
    expect(generate('snappy').status).toBe(0);
  });

  const documentation = readFileSync(join(repository, 'docs/trace-shards.md'), 'utf8');
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');

  /** Returns the query of the first block of shell commands that calls DuckDB. */
  const duckdbCommand = (text: string) => /^duckdb -c "([^"]*)"$/m.exec(text)?.[1];

  /** Returns what docs/trace-shards.md has for an engine. */
  const queryOf = (engine: string) =>
    new RegExp(`\`\`\`\\w+\\n(?:--|#) ${engine}\\n([^\`]*)\`\`\``).exec(documentation)?.[1];

  // The programs that run the query of each engine from stdin.
  const runDuckdb = 'import duckdb\nduckdb.sql(sys.stdin.read())';
  const ENGINES = {
    DuckDB: { module: 'duckdb', run: runDuckdb, query: duckdbCommand(documentation) },
    'DuckDB in the README': { module: 'duckdb', run: runDuckdb, query: duckdbCommand(readme) },
    ClickHouse: {
      module: 'chdb',
      run: 'import chdb\nchdb.query(sys.stdin.read().strip().rstrip(";"))',
      query: queryOf('ClickHouse'),
    },
    DataFusion: {
      module: 'datafusion',
      run: 'import datafusion\ncontext = datafusion.SessionContext()\nfor query in sys.stdin.read().split(";")[:-1]: context.sql(query).collect()',
      query: queryOf('DataFusion'),
    },
    Polars: { module: 'polars', run: 'exec(sys.stdin.read())', query: queryOf('Polars') },
    pandas: { module: 'pandas', run: 'exec(sys.stdin.read())', query: queryOf('pandas') },
  };
  for (const [engine, { module, run: program, query }] of Object.entries(ENGINES)) {
    // CI does not install the engines whose download is large, or whose writer is that of another engine.
    const missing = ['duckdb', 'polars'].includes(module) || hasModule(module) ? '' : ` (missing: ${module})`;
    const define = missing ? it.skip : (name: string, body: () => void) => testWith([python], name, body);
    define(
      `of several versions are added up by ${engine} as documented, to the same profile${missing}`,
      () => {
        // One host wrote an earlier version of the schema. Engines read its file first, or last.
        for (const earlier of ['0', 'z']) {
          const place = mkdtempSync(join(folder, `${module}-`));
          mkdirSync(join(place, 'spool'));
          for (const day of DAYS) shell(`cp day=${day}/*.parquet ${place}/spool`, join(folder, 'spool'));
          const [name = ''] = readdirSync(join(place, 'spool'));
          const rewrite = `import duckdb, os
duckdb.sql("COPY (SELECT * EXCLUDE (exact, taken, run_start, branch_stack, call_chain, has_call_chain) FROM 'spool/${name}') TO 'spool/${earlier}.parquet'")
os.remove('spool/${name}')`;
          expect(run(python, ['-c', rewrite], place).stderr).toBe('');
          writeFileSync(join(place, 'query'), query ?? '');
          writeFileSync(join(place, 'run.py'), `import sys\n${program}\n`);
          shell(`${python} run.py < query`, place);
          const columns = `import duckdb; print(len(duckdb.sql("DESCRIBE FROM 'day.parquet'").fetchall()))`;
          expect(run(python, ['-c', columns], place).stdout).toBe('22\n');
          for (const [index, path] of PROGRAMS.entries()) {
            const perfData = join(repository, 'fixtures', path.split('/')[0] ?? '', 'perf.data');
            const recordings = DAYS.slice(index).flatMap(() => ['--perfdata', perfData]);
            for (const format of ['text', 'preaggregated']) {
              const flags = ['--binary', `binaries/${path.split('/')[1]}`, `--format=${format}`, '-q'];
              autofdoGen(...flags, ...recordings, '-o', 'recorded.out');
              autofdoGen(...flags, '--traces', join(place, 'day.parquet'), '-o', 'summed.out');
              const [recorded, summed] = ['recorded', 'summed'].map((name) =>
                readFileSync(join(folder, `${name}.out`), 'latin1'),
              );
              expect(summed, `${path} ${format}`).toBe(recorded);
            }
          }
        }
      },
    );
  }

  const today = DAYS.at(-1) ?? '';
  testWith([python, 'java'], 'are added up to the same table by DuckDB and by Spark', () => {
    // The release of one of the hosts wrote an earlier version of the schema.
    shell(`cp -r spool mixed-spool`, folder);
    const [name = ''] = readdirSync(join(folder, `mixed-spool/day=${DAYS[0]}`));
    const earlier = `import duckdb
duckdb.sql("COPY (SELECT * EXCLUDE (exact, taken, run_start) FROM read_parquet('spool/day=${DAYS[0]}/${name}', hive_partitioning=false)) TO 'mixed-spool/day=${DAYS[0]}/${name}' (COMPRESSION zstd)")`;
    expect(run(python, ['-c', earlier], folder).stderr).toBe('');
    shell(`${python} ${examples}/sum_duckdb.py mixed-spool ${today} 7 by-duckdb`, folder);
    shell(`${python} ${examples}/sum_duckdb.py spool ${today} 7 by-duckdb-alike`, folder);
    expect(rows('by-duckdb', '--hive')).toEqual(rows('by-duckdb-alike', '--hive'));
    const SPARK_LOCAL_IP = '127.0.0.1';
    const sumWithSpark = (...of: string[]) =>
      shell(`${python} ${examples}/sum_spark.py ${of.join(' ')} 2> spark.log`, folder, { SPARK_LOCAL_IP });
    sumWithSpark('mixed-spool', today, '7', 'by-spark');
    const [duckdb, spark] = ['by-duckdb', 'by-spark'].map((name) => rows(name, '--hive'));
    expect(duckdb?.length).toBeGreaterThan(300);
    expect(spark).toEqual(duckdb);
    // The sums of days, which one engine wrote, have the same sum, which the other computes.
    mkdirSync(join(folder, 'days'));
    for (const day of DAYS)
      shell(`${python} ${examples}/sum_duckdb.py spool ${day} 1 days/day=${day}`, folder);
    sumWithSpark('days', today, '7', 'by-days');
    expect(rows('by-days', '--hive')).toEqual(duckdb);
    for (const name of ['by-duckdb', 'by-spark']) {
      autofdoGen('--binary-dir', 'binaries', '--traces', name, '-o', `profiles-${name}`);
    }
    expect(profiles('profiles-by-spark')).toEqual(profiles('profiles-by-duckdb'));
    expect(profiles('profiles-by-spark')).toHaveLength(PROGRAMS.length);
  });

  it('of several programs in a folder give the profiles of the recordings', () => {
    const recordings = PROGRAMS.flatMap((program, index) => {
      const perfData = join(repository, 'fixtures', program.split('/')[0] ?? '', 'perf.data');
      return DAYS.slice(index).flatMap(() => ['--perfdata', perfData]);
    });
    autofdoGen('--binary-dir', 'binaries', ...recordings, '-q', '-o', 'profiles-recorded');
    autofdoGen('--binary-dir', 'binaries', '--traces', 'spool', '-q', '-o', 'profiles-traced');
    expect(profiles('profiles-traced')).toEqual(profiles('profiles-recorded'));
    expect(profiles('profiles-traced')).toHaveLength(PROGRAMS.length);
  });

  const tryDuckdb = (...args: string[]) => run(python, [join(examples, 'sum_duckdb.py'), ...args], folder);
  const trySpark = (...args: string[]) =>
    run('env', ['SPARK_LOCAL_IP=127.0.0.1', python, join(examples, 'sum_spark.py'), ...args], folder);

  /** Runs the script of a day. The profiles go to `published`, and the sums of the days to `sums`. */
  function runDay(args: readonly string[], env: Record<string, string> = {}) {
    const PATH = [commandFolder(), process.env['PATH']].join(delimiter);
    const settings = Object.entries({ PATH, ...env }).map(([name, value]) => `${name}=${value}`);
    return run('env', [...settings, join(examples, 'day.sh'), ...args], folder);
  }
  const day = (date = today, spool = 'spool', env: Record<string, string> = {}) =>
    runDay([spool, 'sums', date, 'binaries', 'published'], env);

  testWith([python], 'are published by the script of a day, except profiles with little similarity', () => {
    for (const date of DAYS) expect(day(date)).toMatchObject({ status: 0 });
    expect(readdirSync(join(folder, 'sums')).sort()).toEqual(DAYS.map((date) => `day=${date}`));
    const first = profiles('published');
    expect(first.map(([name]) => name)).toEqual(['calc.afdo', 'life.afdo', 'shapes.afdo']);
    const again = day();
    expect(again).toMatchObject({ status: 0 });
    // Libraries of the recording machine are not in the folder of binaries.
    expect(again.stderr).toMatch(/^note: \d+ mapped files were not found: .*libc/m);
    expect(profiles('published')).toEqual(first);
    // The sums of the days have the sum of the traces themselves.
    expect(tryDuckdb('spool', today, '7', 'week')).toMatchObject({ status: 0, stderr: '' });
    autofdoGen('--binary-dir', 'binaries', '--traces', 'week', '-q', '-o', 'of-the-week');
    expect(profiles('of-the-week')).toEqual(first);
    // The profile of another program is in use.
    copyFileSync(join(folder, 'published/life.afdo'), join(folder, 'published/calc.afdo'));
    const kept = profiles('published');
    const unlike = day();
    expect(unlike.status).toBe(1);
    expect(unlike.stderr).toMatch(/^calc.afdo is unlike the profile in use/m);
    expect(unlike.stderr).toMatch(/^ *Whole program profile similarity: 0\./m);
    expect(profiles('published')).toEqual(kept);
    // A comparison that fails is no comparison with an unlike profile.
    const failed = day(today, 'spool', { THRESHOLD: '101' });
    expect(failed.status).toBe(1);
    expect(failed.stderr).not.toMatch(/is unlike/);
    expect(failed.stderr.match(/^error: \w+.afdo was not compared with published/gm)).toHaveLength(3);
    writeFileSync(join(folder, 'published/calc.afdo'), 'no profile');
    const damaged = day();
    expect(damaged).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^published life.afdo\npublished shapes.afdo\n$/),
    });
    expect(damaged.stderr).toMatch(
      /^error: calc.afdo was not compared with published\/calc.afdo, which stays/m,
    );
    expect(damaged.stderr).not.toMatch(/is unlike/);
    rmSync(join(folder, 'published/calc.afdo'));
    expect(day()).toMatchObject({ status: 0 });
    expect(profiles('published')).toEqual(first);
  });

  testWith([python], 'of a day that has none are an error, and the sum that was made of them stays', () => {
    expect(runDay(['spool', 'old-sums', today, 'binaries', 'old-published'])).toMatchObject({ status: 0 });
    const state = () => [rows('old-sums', '--hive'), profiles('old-published')];
    const before = state();
    shell(`cp -r spool late-spool && rm -r late-spool/day=${today}`, folder);
    mkdirSync(join(folder, 'empty-spool'));
    // A program that makes no file is not believed that it has made a sum.
    for (const [spool, SUM] of [
      ['late-spool', ''],
      ['empty-spool', ''],
      ['missing-spool', ''],
      ['spool', 'true'],
    ] as const) {
      // An earlier run may have been killed before it gave the new sum its name.
      if (spool === 'late-spool') shell(`mv old-sums/day=${today} old-sums/.old-${today}`, folder);
      const done = runDay([spool, 'old-sums', today, 'binaries', 'old-published'], { SUM });
      expect(done, spool).toMatchObject({ status: 1, stdout: '' });
      expect(done.stderr).toMatch(
        new RegExp(
          `^error: no sum of the traces in ${spool}/day=${today} was made; old-sums/day=${today} `,
          'm',
        ),
      );
      expect(done.stderr).not.toMatch(/Traceback/);
      expect(state(), spool).toEqual(before);
      expect(readdirSync(join(folder, 'old-sums'))).toEqual([`day=${today}`]);
    }
  });

  testWith([python], 'are not added up with wrong arguments, which a sentence names', () => {
    for (const args of [[], ['spool'], ['spool', 'sums', 'yesterday', 'binaries', 'published']]) {
      const done = runDay(args);
      expect(done).toMatchObject({ status: 2, stdout: '' });
      expect(done.stderr).toMatch(/^usage: day.sh SPOOL SUMS TODAY BINARIES PUBLISHED$/m);
    }
    const wrong: [string[], RegExp][] = [
      [[], /the following arguments are required: FOLDER, LAST, DAYS, OUTPUT/],
      [['spool', '29.11.2026', '1', 'x'], /argument LAST: '29.11.2026' is not a day such as 2026-11-29/],
      [['spool', '20261129', '1', 'x'], /argument LAST: '20261129' is not a day such as 2026-11-29/],
      [['spool', today, '0', 'x'], /argument DAYS: '0' is not a number of days from 1 to 32/],
      [
        ['nothere', today, '7', 'x'],
        /error: no traces found: nothere has no .parquet file with rows in day=/,
      ],
      [['spool', '2020-01-01', '1', 'x'], /error: no traces found: spool has .* in day=2020-01-01$/m],
      [['spool', today, '1', 'nothere/x'], /^sum_duckdb.py: error: .*nothere/m],
    ];
    for (const [args, message] of wrong) {
      const done = tryDuckdb(...args);
      expect(done.status, String(message)).toBeGreaterThan(0);
      expect(done.stderr).toMatch(message);
      expect(done.stderr).not.toMatch(/Traceback/);
    }
    shell(`cp -r spool "it's [x]"`, folder);
    expect(tryDuckdb("it's [x]", today, '7', "it's a sum")).toMatchObject({ status: 0, stderr: '' });
    expect(tryDuckdb('spool', today, '7', 'the-sum')).toMatchObject({ status: 0, stderr: '' });
    expect(rows("it's a sum", '--hive')).toEqual(rows('the-sum', '--hive'));
  });

  testWith([python, 'java'], 'that are missing are an error of Spark, too', () => {
    for (const [spool, date] of [
      ['nothere', today],
      ['spool', '2020-01-01'],
    ] as const) {
      const done = trySpark(spool, date, '1', 'x');
      expect(done.status).toBe(1);
      expect(done.stderr).toMatch(/^sum_spark.py: error: .*(nothere|day=2020-01-01)/m);
      expect(done.stderr).not.toMatch(/Traceback/);
    }
  });
});

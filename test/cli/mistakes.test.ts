import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fixture, fixturePath } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const { binary, perfData } = fixture('calc-x86_64');
const profile = fixturePath(fixture('calc-x86_64'), 'expected.afdo');
const run = (...args: string[]) => runCli(args, { cwd: temporary.path });

beforeAll(async () => {
  mkdirSync(join(temporary.path, 'spool'));
  for (const name of ['spool/a.parquet', 'spool/b.parquet']) {
    expect(await run('collect', '--perfdata', perfData, '-o', name)).toMatchObject({ status: 0 });
  }
  temporary.write('spool/bad.txt', 'no traces');
});

/** Expects wrong usage, and returns what is said about it. */
async function mistake(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await run(...args);
  expect(stdout.toString()).toBe('');
  expect(status).toBe(2);
  return stderr;
}

const TRACES = '--traces takes one value: put the pattern in quotes, name the folder, or repeat the flag.';
const PERFDATA = '--perfdata takes one value: put the pattern in quotes, or repeat the flag.';

describe('an argument without a flag', () => {
  it.each<[string, string[], string]>([
    ['after --traces', ['--binary', binary, '--traces', 'a', 'b', 'c'], TRACES],
    ['after --traces of a report', ['report', '--binary', binary, '--traces', 'a', 'b'], TRACES],
    ['after --perfdata', ['collect', '--perfdata', 'a', 'b', '-o', 'x'], PERFDATA],
    ['after another spelling', ['--binary', binary, '--pd=a', 'b'], PERFDATA],
    ['of doctor', ['doctor', '--binary', binary, '--perfdata', 'a', 'b'], PERFDATA],
    [
      'after --binary',
      ['--binary', 'a', 'b', '--perfdata', 'c'],
      '--binary takes one value: repeat the flag for each.',
    ],
    [
      'after a number',
      ['--pid', '1', '2'],
      '--pid takes one value: put commas between the numbers, or repeat the flag.',
    ],
    [
      'after --host',
      ['collect', '--host', 'me', '-o', 'x'],
      '--host takes no value; name the recording with --perfdata.',
    ],
    [
      'after -o',
      ['collect', '-o', 'x', 'y'],
      '--output takes one value; name the recording with --perfdata.',
    ],
    ['at the start', ['collect', 'y', '-o', 'x'], 'Name the recording with --perfdata.'],
    [
      'of a listing',
      ['--show-disassembly-only', '--binary', binary, 'y'],
      '--binary takes one value: repeat the flag for each.',
    ],
  ])('%s', async (_, args, hint) => {
    const said = await mistake(...args);
    expect(said).toMatch(/^error: unexpected argument '\w+'\n/);
    expect(said).toContain(`hint: ${hint}\n`);
  });
});

describe('a flag of another command', () => {
  it.each<[string[], string]>([
    [
      ['doctor', '--traces', 'x'],
      'The commands generate and report have this flag, and doctor does not; see --help.',
    ],
    [['--rotate', '10m'], 'The command collect has this flag, and generate does not; see --help.'],
    [
      ['collect', '--binary', 'x'],
      'The commands generate, doctor and report have this flag, and collect does not; see --help.',
    ],
    [['collect', '--binry', 'x'], 'See --help.'],
  ])('%j', async (args, hint) => {
    expect(await mistake(...args)).toContain(`\n  hint: ${hint}\n`);
  });
});

it.each<[string, string[]]>([
  ['generate', ['--binary', binary, '--perfdata', '-', '--perfdata', '-']],
  ['generate, with texts', ['--binary', binary, '--perfscript', '-', '--perfscript', '-']],
  ['collect', ['collect', '--perfdata', '-,-', '-o', 'x']],
  ['report', ['report', '--binary', binary, '--perfdata', '-', '--perfdata', '-']],
  ['inspect', ['inspect', '-', '-']],
  ['merge', ['merge', '-', '-', '-o', 'x']],
  ['merge, with a list', ['merge', '-', '-f', '-', '-o', 'x']],
  ['merge, with two lists', ['merge', '-f', '-', '-f', '-', '--dump-input-file-list']],
  ['overlap', ['overlap', '-', '-']],
])('%s refuses standard input twice', async (_, args) => {
  expect(await mistake(...args)).toMatch(/^error: standard input is named more than once\n/);
});

it.each<[string, string[]]>([
  ['report, with a base', ['report', profile, '--base', '-']],
  ['show, with counts and a description', ['show', '-', '--function', 'main', '--detailed-summary']],
])('%s does not read standard input twice', async (_, args) => {
  expect(await mistake(...args)).toMatch(/^error: standard input cannot be read twice/);
});

it('one reading of standard input is enough for counts alone', async () => {
  const { status } = await runCli(['show', '-', '--all-functions'], { input: readFileSync(profile) });
  expect(status).toBe(0);
});

describe('a pattern that matches nothing', () => {
  it.each<[string, string[]]>([
    ['generate', ['--binary', binary, '--traces', 'spool/*.pq', '-o', 'x']],
    ['collect', ['collect', '--perfdata', 'spool/*.pq', '-o', 'x']],
    ['inspect', ['inspect', 'spool/*.pq']],
    ['merge', ['merge', 'spool/*.pq', '-o', 'x']],
    ['merge, with a weight', ['merge', '--weighted-input=2,spool/*.pq', '-o', 'x']],
    ['report', ['report', 'spool/*.pq']],
  ])('is named by %s', async (_, args) => {
    const { status, stderr } = await run(...args);
    expect(stderr).toMatch(/^error: no file matches 'spool\/\*\.pq'\n {2}hint: /);
    expect(status).toBe(1);
  });

  it('is in the JSON, too', async () => {
    const { stdout } = await run('inspect', 'spool/*.pq', '--json');
    expect(JSON.parse(stdout.toString())).toMatchObject({
      ok: false,
      error: { code: 'INPUT_UNREADABLE', path: 'spool/*.pq' },
    });
  });

  it('is a missing file for merge --keep-going', async () => {
    for (const flag of ['--keep-going', '--failure-mode=warn']) {
      const { status, stderr } = await run(
        'merge',
        flag,
        'spool/*.pq',
        '--weighted-input=2,*.q',
        profile,
        '-o',
        'x.afdo',
      );
      expect(stderr).toMatch(/left out: spool\/\*\.pq: no such file/);
      expect(stderr).toMatch(/left out: \*\.q: no such file/);
      expect(status).toBe(0);
    }
  });
});

describe('inspect with several files', () => {
  it.each([[['spool']], [['spool/*.parquet']], [['spool/a.parquet', 'spool/b.parquet']]])(
    '%j',
    async (args) => {
      const { status, stdout } = await run('inspect', ...args);
      expect(stdout.toString().match(/^file +spool\/[ab]\.parquet/gm)).toHaveLength(2);
      expect(status).toBe(0);
      const json = JSON.parse((await run('inspect', '--json', ...args)).stdout.toString());
      expect(json).toMatchObject([
        { ok: true, file: 'spool/a.parquet' },
        { ok: true, file: 'spool/b.parquet' },
      ]);
    },
  );

  it('describes the others if one cannot be read', async () => {
    const args = ['inspect', perfData, 'spool/bad.txt', 'spool/a.parquet'];
    const { status, stdout, stderr } = await run(...args);
    expect(stdout.toString().match(/^file /gm)).toHaveLength(2);
    expect(stderr).toMatch(/^error: spool\/bad\.txt: /);
    expect(status).toBe(1);
    const json = await run(...args, '--json');
    expect(JSON.parse(json.stdout.toString())).toMatchObject([
      { ok: true, file: perfData, samples: 464 },
      { ok: false, file: 'spool/bad.txt', error: { code: 'INPUT_INVALID' } },
      { ok: true, file: 'spool/a.parquet' },
    ]);
    expect(json.status).toBe(1);
  });

  it('gives one object for a file that is named itself, and an array for a folder with one', async () => {
    const file = JSON.parse((await run('inspect', '--json', 'spool/a.parquet')).stdout.toString());
    expect(file).toMatchObject({ ok: true, file: 'spool/a.parquet' });
    const pattern = JSON.parse((await run('inspect', '--json', 'spool/a*')).stdout.toString());
    expect(pattern).toEqual([file]);
  });
});

it.each<[string, string[], RegExp]>([
  [
    'traces on standard input',
    ['--binary', binary, '--traces', '-'],
    /^error: traces cannot come from standard input\n/,
  ],
  [
    'traces in a store',
    ['--binary', binary, '--traces', 's3://bucket/*.parquet'],
    /^error: s3:\/\/bucket\/\*\.parquet is an address, /,
  ],
  [
    'a recording in a store',
    ['collect', '--perfdata', 'gs://b/x', '-o', 'x'],
    /^error: gs:\/\/b\/x is an address, /,
  ],
  [
    'a folder in a store',
    ['collect', '--perfdata', perfData, '-o', 's3://b/x'],
    /^error: s3:\/\/b\/x is an address, /,
  ],
  [
    'a profile on the web',
    ['merge', 'https://h/a.afdo', '-o', 'x'],
    /is an address, .*\n {2}hint: .*mount the store/,
  ],
  ['a profile to show', ['show', 'https://h/a.afdo'], /is an address, /],
  ['a file to inspect', ['inspect', 's3://b/x.parquet'], /is an address, /],
  ['a profile to compare', ['overlap', 'https://h/a.afdo', profile], /is an address, /],
])('only local files are read and written: %s', async (_, args, message) => {
  expect(await mistake(...args)).toMatch(message);
});

it('--compat has the exit status of llvm-profgen in both spellings', async () => {
  const args = ['--binary', binary, '--traces', 'spool', '-o', 'x'];
  expect(await run(...args, '--compat=llvm-profgen')).toMatchObject({ status: 1 });
  expect(await run(...args, '--compat', 'llvm-profgen')).toMatchObject({ status: 1 });
  expect(await run('--compat', 'llvm-profgen', '--unknown-flag')).toMatchObject({ status: 1 });
});

it('the help of collect names all units, and a sum that is read again', async () => {
  const help = (await run('collect', '--help')).stdout.toString().replace(/\s+/g, ' ');
  for (const unit of ['s, m, h or d', 'KB, MB, GB, KiB, MiB or GiB']) expect(help).toContain(unit);
  expect(help).toContain('SUM(count)::UBIGINT');
  expect((await run('--help')).stdout.toString()).toContain('--traces FILE');
});

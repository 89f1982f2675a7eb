import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fixture, fixturePath } from '../support/fixtures.js';
import { MAIN, runCli } from '../support/run-cli.js';

const calc = fixture('calc-x86_64');
const profile = fixturePath(calc, 'expected.afdo');

/** Each command with arguments for printing to stdout. */
const PRINTING: string[][] = [
  ['--help'],
  ['--version'],
  ['help', 'show'],
  ['--binary', calc.binary, '--perfdata', calc.perfData, '-o', '-'],
  ['--binary', calc.binary, '--show-disassembly-only'],
  ['doctor', '--binary', calc.binary],
  ['inspect', calc.perfData],
  ['inspect', calc.perfData, '--json'],
  ['merge', profile, '-o', '-'],
  ['convert', profile, '--text', '-o', '-'],
  ['show', profile],
  ['show', profile, '--all-functions', '--json'],
  ['show', profile, '--show-prof-sym-list'],
  ['overlap', profile, profile],
  ['overlap', profile, profile, '--json'],
  ['doctor', '--binary', calc.binary, '--json'],
  ['merge', profile, '--dump-input-file-list'],
  ['report', profile],
  ['report', profile, '--format=html', '-o', '-'],
  ['report', profile, '--format=json', '-o', '-'],
];

/** Each command with arguments for writing the file that follows. */
const WRITING: string[][] = [
  ['--binary', calc.binary, '--perfdata', calc.perfData, '-o'],
  ['merge', profile, '-o'],
  ['convert', profile, '-o'],
  ['show', profile, '-o'],
  ['overlap', profile, profile, '-o'],
  ['report', profile, '--format=html', '-o'],
];

describe.skipIf(process.platform === 'win32')('where stdout cannot take the output', () => {
  const shell = (script: string, args: string[]) =>
    spawnSync('sh', ['-c', script, 'sh', process.execPath, MAIN, ...args], { encoding: 'utf8' });

  it.skipIf(!existsSync('/dev/full')).each(PRINTING)('a full device is an error: %s %s %s', (...args) => {
    const { status, stderr } = shell('exec "$@" > /dev/full', args);
    expect(stderr).toBe('error: standard output cannot be written: no space left on device\n');
    expect(status).toBe(1);
  });

  it.skipIf(!existsSync('/dev/full')).each(WRITING)('so is a full file: %s %s %s', async (...args) => {
    const { status, stderr } = await runCli([...args, '/dev/full']);
    expect(stderr).toMatch(
      /^error: cannot write \/dev\/full: no space left on device\n {2}hint: .* has space/m,
    );
    expect(status).toBe(1);
  });

  it.each(PRINTING)('a closed pipe is an error: %s %s %s', (...args) => {
    const { stderr } = shell('{ sleep 0.1; "$@"; echo "status $?" >&2; } | :', args);
    expect(stderr).toBe(
      'error: standard output cannot be written: its reader has closed it before all was written\nstatus 1\n',
    );
  });
});

describe('colours', () => {
  const message = (env: Record<string, string>, ...args: string[]) =>
    spawnSync(process.execPath, [MAIN, 'show', 'missing.afdo', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], ...env },
    }).stderr;

  it.each<[boolean, Record<string, string>, string[]]>([
    [false, {}, []],
    [true, { FORCE_COLOR: '1' }, []],
    [true, { FORCE_COLOR: '' }, []],
    [false, { FORCE_COLOR: '0' }, []],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, []],
    [true, { NO_COLOR: '1' }, ['--color']],
    [false, { FORCE_COLOR: '1' }, ['--color=0']],
  ])('%s with %j %j', (coloured, env, args) => {
    expect(message(env, ...args).startsWith('\x1b[')).toBe(coloured);
  });
});

describe('the command line', () => {
  it.each([
    ['shwo', 'show'],
    ['mrege', 'merge'],
    ['doctr', 'doctor'],
    ['Inspect', 'inspect'],
    ['hlep', 'help'],
  ])('%s: did you mean %s?', async (given, meant) => {
    const { status, stderr } = await runCli([given, 'x']);
    expect(stderr).toBe(
      `error: there is no command '${given}'\n  hint: Did you mean autofdo-gen ${meant}?\n`,
    );
    expect(status).toBe(2);
  });

  it('reads a word without a similar command as an argument', async () => {
    const { status, stderr } = await runCli(['perf.data']);
    expect(stderr).toContain("unexpected argument 'perf.data'");
    expect(status).toBe(2);
  });

  it('prints the same help of a command for `help` before it and for `--help` after it', async () => {
    const [before, behind, all] = await Promise.all([
      runCli(['help', 'show']),
      runCli(['show', '--help']),
      runCli(['help']),
    ]);
    expect(before.stdout.toString()).toBe(behind.stdout.toString());
    expect(before.stdout.toString()).toContain('--hot-func-list');
    expect(all.stdout.toString()).toContain('autofdo-gen doctor');
    expect((await runCli(['help', 'shwo'])).stderr).toContain('Did you mean autofdo-gen show?');
    expect(await runCli(['help', 'frobnicate'])).toMatchObject({ status: 2 });
  });
});

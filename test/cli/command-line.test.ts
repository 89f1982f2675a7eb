import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseProfile } from '../../src/index.js';
import { asPipe } from '../support/as-pipe.js';
import { fixture } from '../support/fixtures.js';
import { writeLargeRecording } from '../support/large-recording.js';
import { MAIN, type RunOptions, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const calc = fixture('calc-x86_64');
const temporary = temporaryFolder();
const inputs = ['--binary', calc.binary, '--perfdata', calc.perfData];
const profile = join(calc.binary, '..', 'expected.afdo');

const run = (args: string[], options: RunOptions = {}) => runCli(args, { cwd: temporary.path, ...options });

describe('autofdo-gen', () => {
  it('writes NAME.afdo into the current folder, and prints a summary', async () => {
    const cwd = join(temporary.path, 'default');
    mkdirSync(cwd);
    const { status, stdout, stderr } = await run([...inputs, '--verbose'], { cwd });
    expect(status).toBe(0);
    expect(stdout.toString()).toBe('');
    expect(readdirSync(cwd)).toEqual(['calc.afdo']);
    expect(parseProfile(readFileSync(join(cwd, 'calc.afdo'))).functions.length).toBeGreaterThan(0);
    for (const part of ['samples', 'branch entries', '% ', 'functions', 'density', 'calc.afdo']) {
      expect(stderr).toContain(part);
    }
    expect(stderr).not.toContain('\r');
    expect(stderr).not.toContain('\x1b');
  });

  it('writes to stdout with -o -', async () => {
    const { status, stdout } = await run([...inputs, '--format=text', '-o', '-']);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^\w+:\d+:\d+\n \d+(\.\d+)?: \d+/);
  });

  it.skipIf(process.platform === 'win32')('reads standard input and FIFOs', async () => {
    const counters = ['--binary', calc.binary, '--skip-symbolization', '-o', '-'];
    const { stdout: expected } = await run([...counters, '--perfdata', calc.perfData]);
    expect(expected.length).toBeGreaterThan(1000);
    const fifo = join(temporary.path, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    const file = readFileSync(calc.perfData);
    for (const [container, input] of [
      ['file', file],
      ['pipe', asPipe(file)],
    ] as const) {
      const piped = await run([...counters, '--perfdata', '-'], { input });
      expect(piped, container).toMatchObject({ status: 0, stdout: expected });
      const through = temporary.write(`through-${container}`, input);
      const writer = promisify(execFile)('sh', ['-c', `cat '${through}' > '${fifo}'`]);
      expect(await run([...counters, '--perfdata', fifo]), container).toMatchObject({
        status: 0,
        stdout: expected,
      });
      await writer;
    }
  });

  it('accepts the flags of a script for llvm-profgen', async () => {
    const args = [
      `-binary=${calc.binary}`,
      `-perfdata=${calc.perfData}`,
      '-format=text',
      '-output=drop-in.prof',
    ];
    const both = [...args, '--ignore-stack-samples', '--csspgo-preinliner=0', '-show-density=1'];
    const { status, stdout } = await run(both);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(
      /^Functions with density >= \d+\.\d account for 99\.00% total sample counts\.\n$/,
    );
    expect(existsSync(join(temporary.path, 'drop-in.prof'))).toBe(true);
  });

  it('writes and reads counters', async () => {
    const [counters, direct] = await Promise.all([
      run([...inputs, '--skip-symbolization', '-o', 'calc.counters']),
      run([...inputs, '--format=text', '-o', '-']),
    ]);
    expect(counters.status).toBe(0);
    const again = ['--binary', calc.binary, '--up', 'calc.counters', '--format=text', '-o', '-'];
    expect((await run(again)).stdout.toString()).toBe(direct.stdout.toString());
  });

  it('reads text of perf script', async () => {
    const absolute = ['--skip-symbolization', '--use-offset=0', '-o', '-'];
    const counters = (await run([...inputs, ...absolute])).stdout.toString();
    const branches = [...counters.matchAll(/^([0-9a-f]+)->([0-9a-f]+):/gm)];
    const [, from, to] = branches.find(([, from, to]) => counters.includes(`\n${to}-${from}:`)) ?? [];
    const entries = `0x${from}/0x${to}/P/-/-/0  0x${from}/0x${to}/M/-/-/12 \n`;
    const script = join(temporary.path, 'loop.script');
    writeFileSync(script, `3\n    4f ${entries} cycles:  4f ${entries}`);

    const expected = `1\n${to}-${from}:4\n1\n${from}->${to}:8\n`;
    const read = await run(['--binary', calc.binary, '--perfscript', script, ...absolute]);
    expect(read.stdout.toString()).toBe(expected);
    expect(read.stderr).toContain('taken to be where it was linked to');
    const compatible = await run([
      '--binary',
      calc.binary,
      '--perfscript',
      script,
      ...absolute,
      '--compat=llvm-profgen',
    ]);
    expect(compatible.stderr).toContain('will use preferred address');
    const selected = ['--perf-events=other,cycles', '--sample-period=10', '--ps', script];
    const scaled = await run(['--binary', calc.binary, ...selected, ...absolute]);
    expect(scaled.stdout.toString()).toBe(expected.replace(':4', ':40').replace(':8', ':80'));
    expect(scaled.stderr).toContain('line 2 does not name the event of its sample');

    writeFileSync(script, `\t4f\n ${entries}`);
    const stacks = ['--binary', calc.binary, '--perfscript', script, ...absolute];
    expect((await run(stacks)).stdout.toString()).toMatch(/^\[.*\]\n/);
    const refused = await run([...stacks, '--sample-period=3']);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/context-sensitive/);
    expect(refused.stderr).toMatch(/hint: Use --ignore-stack-samples/);
  });

  it.each([[[]], [['-q']], [['-v', '-q']]])('prints no summary to a pipe with %j', async (flags) => {
    const { status, stderr } = await run([...inputs, ...flags, '-o', 'quiet.afdo']);
    expect(status).toBe(0);
    expect(stderr).not.toContain('samples  ');
  });

  it('prints phases with --timings', async () => {
    const { stderr } = await run([...inputs, '--timings', '-q', '-o', 'timed.afdo']);
    expect(stderr).toMatch(/decode +[\d.]+ m?s/);
    expect(stderr).toMatch(/total +[\d.]+ m?s/);
  });

  it('prints JSON with --json, of results and of failures', async () => {
    const [good, bad] = await Promise.all([
      run([...inputs, '--json', '-o', 'json.afdo']),
      run(['--binary', 'missing', '--perfdata', calc.perfData, '--json', '-o', 'none.afdo']),
    ]);
    const result = JSON.parse(good.stdout.toString());
    expect(result).toMatchObject({
      ok: true,
      output: 'json.afdo',
      statistics: { ledger: { used: expect.any(Number) } },
    });
    expect(bad.status).toBe(1);
    expect(JSON.parse(bad.stdout.toString())).toMatchObject({
      ok: false,
      error: { code: 'BINARY_UNREADABLE' },
    });
  });

  it('fails with the fault and a remedy', async () => {
    const { status, stderr, stdout } = await run(['--binary', calc.binary, '--perfdata', 'missing.data']);
    expect(status).toBe(1);
    expect(stdout.length).toBe(0);
    expect(stderr).toMatch(/^error: .*missing\.data/);
    expect(existsSync(join(temporary.path, 'calc.afdo'))).toBe(false);
  });

  it.each([
    [[], /Usage:/],
    [['--binary', 'a'], /error: no input was given/],
    [['--perfdata', 'a'], /error: no binary was given/],
    [['--binry', 'a'], /did you mean --binary\?/],
    [['--binary', 'a', '--pd', 'b', '--up', 'c'], /cannot be used together/],
    [['perf.data'], /unexpected argument 'perf.data'/],
    [['--binary', 'a', '--pd', 'b', '--json', '-o', '-'], /both write to stdout/],
    [['inspect'], /no file was given/],
  ])('%j is wrong usage', async (args, message) => {
    const { status, stderr } = await run(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });

  it('has the exit status of llvm-profgen with --compat', async () => {
    const { status, stderr } = await run(['--compat=llvm-profgen', '--binary', 'a']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/no input was given/);
    const compat = [...inputs, '--compat=llvm-profgen'];
    expect(await run([...compat, '-o', calc.binary])).toMatchObject({ status: 1 });
    expect(await run([...compat, '--event', 'none', '-o', 'x.afdo'])).toMatchObject({ status: 1 });
    expect(await run([...inputs, '--event', 'none', '-o', 'x.afdo'])).toMatchObject({ status: 2 });
  });

  it('prints its version and help', async () => {
    const [version, help, inspect] = await Promise.all([
      run(['--version']),
      run(['-help']),
      run(['inspect', '-h']),
    ]);
    expect(version.stdout.toString()).toMatch(/^autofdo-gen \d+\.\d+\.\d+\n$/);
    expect(help.stdout.toString()).toContain('Usage:');
    expect(inspect.stdout.toString()).toContain('inspect FILE');
    expect([version.status, help.status, inspect.status]).toEqual([0, 0, 0]);
  });

  it('ends with 130 on Ctrl-C, and leaves no file', async () => {
    const folder = join(temporary.path, 'interrupted');
    mkdirSync(folder);
    const perfData = join(temporary.path, 'large.data');
    writeLargeRecording(calc, perfData, 64 << 20);
    const many = Array<string[]>(60).fill(['--perfdata', perfData]).flat();
    const args = ['--binary', calc.binary, ...many, '--jobs=1', '-o', 'out.afdo'];
    const { status, stderr } = await run(args, { cwd: folder, interrupt: true });
    expect(stderr).toContain('interrupted');
    expect(status).toBe(130);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('autofdo-gen inspect', () => {
  it('prints the same facts for people and for programs', async () => {
    const [text, json] = await Promise.all([
      run(['inspect', calc.perfData]),
      run(['inspect', calc.perfData, '--json']),
    ]);
    const summary = JSON.parse(json.stdout.toString());
    expect(summary).toMatchObject({
      complete: true,
      pipe: false,
      endian: 'little',
      autofdo: { usable: true },
    });
    expect(text.stdout.toString()).toContain(String(summary.samples));
    expect(text.stdout.toString()).toContain('AutoFDO         usable');
  });

  it('fails for a file that is not a recording', async () => {
    const { status, stderr } = await run(['inspect', MAIN]);
    expect(status).toBe(1);
    expect(stderr).toContain('not a perf.data file');
  });
});

it('errors of the system are reported in words, without numbers and names of temporary files', async () => {
  const folder = join(temporary.path, 'no', 'such', 'folder');
  const runs = await Promise.all([
    run([...inputs, '-o', join(folder, 'out.afdo')]),
    run([...inputs.slice(0, 2), '--perfdata', 'missing']),
    run(['--binary', 'missing', ...inputs.slice(2)]),
    run(['show', 'missing', '--all-functions']),
    run(['merge', 'missing', '-o', '-']),
    run(['merge', '--input-files=missing', '-o', '-']),
    run(['merge', 'missing', profile, '--keep-going', '-o', 'merged.afdo']),
    run(['merge', 'missing', 'gone', '--failure-mode=all', '-o', '-']),
    run(['overlap', profile, 'missing']),
    run(['convert', 'missing', '-o', '-']),
    run(['report', 'missing']),
    run(['collect', '--perfdata', 'missing', '-o', 'x.parquet']),
    run(['inspect', 'missing']),
    run(['doctor', '--binary', 'missing']),
  ]);
  for (const { stderr } of runs) {
    expect(stderr).toMatch(/no such file/i);
    expect(stderr).not.toMatch(/os error|errno|ENOENT|\.autofdo-gen-/);
  }
});

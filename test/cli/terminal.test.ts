import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { MAIN, runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const { binary, perfData } = fixture('calc-x86_64');
const CLEAR_LINE = '\r\x1b[K';
/** True if util-linux's `script` is there, which runs a program on a terminal of its own. */
const hasScript = spawnSync('script', ['-qec', 'stty -a', '/dev/null']).stdout?.includes('columns') === true;

/** Returns the output of a command on a terminal with this number of columns. */
function onTerminal(args: string[], columns = 80, env: Record<string, string> = {}): string {
  const command = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const { stdout } = spawnSync('script', ['-qec', `stty cols ${columns}; ${command}`, '/dev/null'], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], TERM: 'xterm', ...env },
  });
  return stdout;
}

describe.skipIf(!hasScript)('on a terminal', () => {
  it('messages are coloured, unless the terminal is dumb or colours are turned off', () => {
    const message = (env: Record<string, string>) => onTerminal(['show', 'missing.afdo'], 80, env);
    expect(message({})).toContain('\x1b[1m\x1b[31merror:');
    for (const env of [{ TERM: 'dumb' }, { NO_COLOR: '1' }, { FORCE_COLOR: '0' }]) {
      expect(message(env)).toMatch(/^error: missing\.afdo/);
    }
    expect(message({ TERM: 'dumb', FORCE_COLOR: '1' })).toContain('\x1b[31m');
  });

  it('progress is one line that is redrawn, unless the terminal is dumb', () => {
    const args = ['--binary', binary, '--perfdata', perfData, '-o', join(temporary.path, 'x.afdo')];
    const [clever, dumb] = [onTerminal(args), onTerminal(args, 80, { TERM: 'dumb' })];
    expect(clever).toContain(`${CLEAR_LINE}opening files${CLEAR_LINE}`);
    expect(clever).toMatch(/100 % {2}reading branch stacks/);
    expect(dumb).not.toMatch(/opening files|reading branch stacks/);
    for (const text of [clever, dumb]) expect(text).toContain('samples         464');
  });

  it.each<[string, string[], string]>([
    ['collect', ['--perfdata', '-', '-o', 'x.parquet'], 'Pipe a recording into it: `perf record -o -'],
    ['generate', ['--binary', binary, '--perfdata', '-'], 'Pipe a recording into it'],
    ['generate', ['--binary', binary, '--perfscript', '-'], 'Pipe the text of `perf script` into it.'],
    ['report', ['--binary', binary, '--perfdata', '-'], 'Pipe a recording into it'],
    ['inspect', ['-'], 'Pipe a recording into it'],
    ['merge', ['-', '-o', 'x.afdo'], 'Pipe a profile into it'],
    ['merge', ['-f', '-', '-o', 'x.afdo'], 'Pipe the list into it'],
    ['show', ['-'], 'Pipe a profile into it'],
    ['overlap', ['-', 'x.afdo'], 'Pipe a profile into it'],
    ['convert', ['-', '-o', 'x.afdo'], 'Pipe a profile into it'],
  ])('%s does not wait for an input to be typed: %j', (command, args, hint) => {
    const said = onTerminal([command, ...args], 80, { TERM: 'dumb' });
    expect(said).toMatch(/^error: standard input is a terminal\r\n {2}hint: /);
    expect(said).toContain(hint);
  });

  it.each([
    [80, 80],
    [132, 100],
    [70, 70],
  ])('with %i columns, help is at most %i columns wide', (columns, most) => {
    const widths = onTerminal(['--help-all'], columns)
      .split('\r\n')
      // Names of flags may be longer than a narrow terminal.
      .filter((line) => /^ {20,}\S/.test(line))
      .map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(most);
    expect(Math.max(...widths)).toBeGreaterThan(most - 15);
  });
});

it('names in a recording do not control the terminal', async () => {
  const recorded = readFileSync(perfData, 'latin1');
  const harmful = Buffer.from(recorded.replaceAll('/autofdo-fixture/', '/aut\x1b[31mfixture/'), 'latin1');
  const recording = temporary.write('harmful.data', harmful);
  const traces = join(temporary.path, 'harmful.parquet');
  await runCli(['collect', '--perfdata', recording, '-o', traces]);
  for (const input of [recording, traces]) {
    const { stdout, status } = await runCli(['inspect', input]);
    expect(status).toBe(0);
    expect(stdout.toString()).toContain('/aut\ufffd[31mfixture/calc');
    expect(stdout.toString()).not.toContain('\x1b');
  }
  for (const input of [
    ['--perfdata', recording],
    ['--traces', traces],
  ]) {
    const other = fixture('shapes-cpp').binary;
    const { stderr, status } = await runCli(['--binary', other, ...input, '-o', 'x.afdo']);
    expect(status).toBe(1);
    expect(stderr).toContain('/aut\ufffd[31mfixture/calc');
    expect(stderr).not.toContain('\x1b');
  }
});

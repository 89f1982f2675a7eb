import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { asPipe } from '../support/as-pipe.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { MAIN, untilItReads } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const recording = readFileSync(calc.perfData);
const profile = readFileSync(fixturePath(calc, 'expected.prof'));

const GENERATE = ['--binary', calc.binary, '-o', 'x.afdo'];
const COMMANDS: [command: string, args: string[], inputs: Buffer[]][] = [
  ['generate', [...GENERATE, '--perfdata', '-'], [recording, asPipe(recording)]],
  ['generate, with a text', [...GENERATE, '--perfscript', '-'], [Buffer.from('PERF_RECORD_MMAP2 ')]],
  ['collect', ['collect', '--perfdata', '-', '-o', 'x.parquet'], [recording]],
  ['inspect', ['inspect', '-'], [recording, asPipe(recording)]],
  ['show', ['show', '-'], [profile]],
  ['overlap', ['overlap', '-', fixturePath(calc, 'expected.prof')], [profile]],
  ['merge', ['merge', '-', '-o', 'x.prof'], [profile]],
];
const cases = COMMANDS.flatMap(([command, args, inputs]) =>
  inputs.flatMap((input, form) =>
    [0, 5, 200, Math.floor(input.length / 2)].map((length) => ({
      command,
      form,
      length,
      args,
      input: input.subarray(0, length),
    })),
  ),
);

it.each(cases)(
  'the first Ctrl-C ends $command, whose input $form stops after $length bytes',
  async ({ args, input }) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: temporary.path,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    child.stdin.on('error', () => {});
    child.stdin.write(input);
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    await untilItReads(child.pid);
    child.kill('SIGINT');
    const [status, signal] = await once(child, 'close');
    expect({ status, signal }).toEqual({ status: 130, signal: null });
    expect(stderr).toMatch(/^error: interrupted/m);
  },
  20_000,
);

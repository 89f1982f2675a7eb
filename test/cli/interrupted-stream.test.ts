import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { collectTraces, inspectTraces } from '../../src/index.js';
import { asPipe } from '../support/as-pipe.js';
import { fixture } from '../support/fixtures.js';
import { MAIN, untilItReads } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const stream = asPipe(readFileSync(calc.perfData));
const half = Math.floor(stream.length / 2);

/** Starts to collect a stream into a folder, and writes the first half of the stream. */
async function collecting(name: string) {
  const output = join(temporary.path, name);
  const child = spawn(process.execPath, [MAIN, 'collect', '--perfdata', '-', '-o', output], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.on('error', () => {});
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdin.write(stream.subarray(0, half));
  await untilItReads(child.pid);
  await pause(500);
  return {
    child,
    end: async () => {
      const [status, signal] = await once(child, 'close');
      return { status, signal, stderr, files: readdirSync(output) };
    },
    samples: async (file: string) => {
      const { ledger } = await inspectTraces(join(output, file));
      return ledger.find(({ name: what }) => what === 'samples')?.count ?? 0n;
    },
  };
}

it('what perf writes after Ctrl-C is in the traces', async () => {
  const recording = join(temporary.path, 'whole.parquet');
  const { ledger } = await collectTraces({ perfData: calc.perfData, output: recording });
  const { child, end, samples } = await collecting('ended');
  // npx passes a signal on that the terminal has sent already.
  child.kill('SIGINT');
  child.kill('SIGINT');
  await pause(300);
  child.stdin.end(stream.subarray(half));
  const { status, signal, files } = await end();
  expect({ status, signal, files: files.length }).toEqual({ status: 0, signal: null, files: 1 });
  expect(await samples(files[0] ?? '')).toBe(ledger.find(({ name }) => name === 'samples')?.count);
});

it('a stream that goes on after Ctrl-C is cut off, and what came before is in the traces', async () => {
  const { child, end, samples } = await collecting('cut');
  child.kill('SIGTERM');
  const { status, stderr, files } = await end();
  expect({ status, files: files.length }).toEqual({ status: 130, files: 1 });
  expect(stderr).toMatch(/^interrupted +what came later is not in the output$/m);
  expect(await samples(files[0] ?? '')).toBeGreaterThan(0n);
}, 20_000);

it('the second Ctrl-C ends the command at once, and only the open file is lost', async () => {
  const { child, end } = await collecting('killed');
  child.kill('SIGINT');
  await pause(1500);
  child.kill('SIGINT');
  const { signal, files } = await end();
  expect(signal).toBe('SIGINT');
  expect(files.filter((file) => !file.startsWith('.'))).toEqual([]);
});

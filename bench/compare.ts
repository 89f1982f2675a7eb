/**
 * Whole processes side by side in one run: this program, and llvm-profgen with the perf that it calls.
 *
 *   npm run bench -- --binary FILE --perfdata FILE [--runs N] [-- flags for both]
 *
 * Ratios of one run can be compared between machines, times cannot.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  options: {
    binary: { type: 'string', default: 'fixtures/calc-x86_64/calc' },
    perfdata: { type: 'string', default: 'fixtures/calc-x86_64/perf.data' },
    runs: { type: 'string', default: '5' },
  },
  allowPositionals: true,
});

interface Measurement {
  milliseconds: number;
  /** Highest resident memory of the process and its children at one time, in bytes. */
  memory: number;
}

const folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-bench-'));
const common = [
  `--binary=${values.binary}`,
  `--perfdata=${values.perfdata}`,
  '--format=text',
  ...positionals,
];
const tools: { name: string; command: string; args: string[] }[] = [
  { name: 'autofdo-gen', command: process.execPath, args: [resolve('dist/cli/main.js'), ...common] },
  { name: 'llvm-profgen-22', command: 'llvm-profgen-22', args: common },
];

async function main(): Promise<void> {
  const runs = Number(values.runs);
  const present = tools.filter(({ name, command, args }) => {
    const found = name === 'autofdo-gen' || spawnSync(command, ['--version']).status === 0;
    if (!found) console.log(`${name} is not installed: left out (${args.length} arguments not run)`);
    return found;
  });
  const results = new Map<string, Measurement[]>(present.map(({ name }) => [name, []]));
  // Taking turns spreads what else the machine does over all of them.
  for (let run = 0; run < runs; run++) {
    for (const { name, command, args } of present) {
      results.get(name)?.push(await measure(command, [...args, `--output=${join(folder, name)}`]));
    }
  }
  const megabytes = (statSync(values.perfdata).size / 1e6).toFixed(1);
  console.log(`${values.perfdata}: ${megabytes} MB, median of ${runs} runs`);
  const base = results.get('autofdo-gen') ?? [];
  for (const [name, measurements] of results) {
    const milliseconds = median(measurements.map((one) => one.milliseconds));
    const memory = median(measurements.map((one) => one.memory));
    const slower = milliseconds / median(base.map((one) => one.milliseconds));
    const larger = memory / median(base.map((one) => one.memory));
    console.log(
      `${name.padEnd(16)}${milliseconds.toFixed(0).padStart(8)} ms ${(memory / 2 ** 20).toFixed(0).padStart(6)} MiB` +
        `   ${slower.toFixed(1)} x time, ${larger.toFixed(1)} x memory`,
    );
  }
  if (present.length > 1) {
    const [ours, theirs] = present.map(({ name }) => readFileSync(join(folder, name)));
    console.log(ours?.equals(theirs ?? Buffer.alloc(0)) ? 'the profiles are equal' : 'the profiles DIFFER');
  }
}

async function measure(command: string, args: string[]): Promise<Measurement> {
  const start = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
  let memory = 0;
  const poll = setInterval(() => {
    memory = Math.max(memory, residentMemory(child));
  }, 5);
  const status = await new Promise((done) => child.on('close', done));
  clearInterval(poll);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`);
  return { milliseconds: performance.now() - start, memory };
}

/** Linux only; 0 where there is no /proc. */
function residentMemory({ pid }: ChildProcess): number {
  const family = [pid, ...childrenOf(pid)];
  return family.reduce<number>((sum, id) => sum + statusField(id, 'VmRSS'), 0);
}

function childrenOf(pid: number | undefined): number[] {
  const text = readProc(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

function statusField(pid: number | undefined, field: string): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1] ?? Number.NaN;
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** One process, timed and watched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Command {
  program: string;
  args: readonly string[];
}

export interface Measurement {
  milliseconds: number;
  /** Highest resident memory of the process and its children at one time, in bytes. */
  memory: number;
}

/** What a process needs. Node reads certificates at its start if NODE_EXTRA_CA_CERTS is set, which takes longer than a small job. */
const environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C' };

/** A turn of a command that takes less is one of several runs: the shorter it is, the more a single one is disturbed. */
const TURN_MILLISECONDS = 1500;

/** A command that takes longer is run only once: it is little disturbed, and there are minutes of them. */
const LONG_MILLISECONDS = 5000;

/** Medians over `turns` turns of each command; taking turns spreads what else the machine does over all of them. */
export async function measureInTurn(commands: readonly Command[], turns: number): Promise<Measurement[]> {
  const first: Measurement[] = [];
  for (const command of commands) first.push(await watched(command));
  const times: number[][] = first.map(({ milliseconds }) =>
    milliseconds > LONG_MILLISECONDS ? [milliseconds] : [],
  );
  const short = first.map(({ milliseconds }) => milliseconds <= LONG_MILLISECONDS);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, command] of commands.entries()) {
      if (!short[index]) continue;
      const end = performance.now() + TURN_MILLISECONDS;
      do times[index]?.push(await timed(command));
      while (performance.now() < end);
    }
  }
  return first.map(({ memory }, index) => ({ milliseconds: median(times[index] ?? []), memory }));
}

async function timed(command: Command): Promise<number> {
  const start = performance.now();
  await run(command, () => {});
  return performance.now() - start;
}

/** Memory and time of a run of its own, because looking at memory costs a short command time. Memory on Linux only; 0 where there is no /proc. */
async function watched(command: Command): Promise<Measurement> {
  const start = performance.now();
  let memory = 0;
  let poll: NodeJS.Timeout | undefined;
  const look = (child: ChildProcess) => {
    const family = [child.pid ?? 0, ...childrenOf(child.pid)];
    const now = family.reduce((sum, id) => sum + status(id, 'VmRSS'), 0);
    memory = Math.max(memory, now, ...family.map((id) => status(id, 'VmHWM')));
    // Often at first, and rarely where that would take part of the other core for minutes.
    poll = setTimeout(look, performance.now() - start < 1000 ? 2 : 20, child);
  };
  try {
    await run(command, look);
  } finally {
    clearTimeout(poll);
  }
  return { milliseconds: performance.now() - start, memory };
}

async function run({ program, args }: Command, started: (child: ChildProcess) => void): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
  started(child);
  let errors = '';
  child.stderr.on('data', (text) => {
    errors += text;
  });
  const status = await new Promise((done) => child.on('close', done));
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${errors.slice(-500)}`);
}

function childrenOf(pid: number | undefined): number[] {
  return readProc(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** A field of a process's status, in bytes. */
function status(pid: number, field: string): number {
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readProc(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >>> 1] ?? Number.NaN;
}

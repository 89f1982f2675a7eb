/** Measures the time and the memory of single processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Command {
  program: string;
  args: readonly string[];
}

export interface Measurement {
  milliseconds: number;
  /** Largest resident memory of the process and its children at one time, in bytes. */
  memory: number;
}

/**
 * Environment of each process. Node reads certificates at its start if NODE_EXTRA_CA_CERTS is set, which takes
 * longer than a small job, so the variable is left out.
 */
const environment: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: process.env['HOME'], LC_ALL: 'C' };

/**
 * Least time of a turn of a command. A shorter command runs several times in a turn, because other work disturbs a
 * single short run more.
 */
const TURN_MILLISECONDS = 1500;

/** Time from which on a command runs only once. Other work disturbs it little, and it takes long. */
const LONG_MILLISECONDS = 5000;

/**
 * Measures medians over `turns` turns of each command. The commands take turns, so that other work of the machine
 * is spread over all of them.
 */
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

/**
 * Measures memory and time in a run of its own, because reading memory costs a short command time. Memory is
 * measured only on Linux, and is 0 if there is no /proc.
 */
async function watched(command: Command): Promise<Measurement> {
  const start = performance.now();
  let memory = 0;
  let poll: NodeJS.Timeout | undefined;
  const look = (child: ChildProcess) => {
    const family = [child.pid ?? 0, ...childrenOf(child.pid)];
    const now = family.reduce((sum, id) => sum + status(id, 'VmRSS'), 0);
    memory = Math.max(memory, now, ...family.map((id) => status(id, 'VmHWM')));
    // Memory is read often at first. Later it is read rarely, because reading would take part of the other core
    // for minutes.
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

/** Returns a field of a process's status, in bytes. */
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

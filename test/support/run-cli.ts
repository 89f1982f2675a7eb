import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Path of the built command. */
export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Run {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  /** True to press Ctrl-C soon after the job has begun. */
  interrupt?: boolean;
  /** Contents of standard input. */
  input?: string | Uint8Array;
}

/** Waits until a process has loaded the addon, which it does for its job, and a little longer. */
export async function untilItReads(pid = 0): Promise<void> {
  const isLoaded = () => readFileSync(`/proc/${pid}/maps`, 'utf8').includes('autofdo-gen.');
  while (!isLoaded()) await sleep(50);
  await sleep(300);
}

/** Runs the command as a shell does. */
export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd, interrupt = false, input } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], { cwd, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdin.end(input);
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout: Buffer.concat(stdout), stderr }));
    if (interrupt) untilItReads(child.pid).then(() => child.kill('SIGINT'), reject);
  });
}

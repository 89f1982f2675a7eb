import { spawn } from 'node:child_process';
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
  /** Time in milliseconds until Ctrl-C. */
  interruptAfter?: number;
  /** Contents of standard input. */
  input?: string | Uint8Array;
}

/** Runs the command as a shell does. */
export function runCli(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { cwd, interruptAfter = 0, input } = options;
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
    if (interruptAfter > 0) setTimeout(() => child.kill('SIGINT'), interruptAfter);
  });
}

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestFunction, test } from 'vitest';

export const repository = new URL('../../', import.meta.url).pathname;
/** The command under test: that of this checkout, or an installed one. */
export const cli = process.env['AUTOFDO_GEN_CLI'] ?? join(repository, 'dist/cli/main.js');

/** Python with duckdb, polars, pyarrow and pyspark, which `.ci/run` installs. */
export const fleetPython =
  process.env['AUTOFDO_FLEET_PYTHON'] ?? join(homedir(), '.cache/autofdo-gen/fleet/bin/python3');

/** A file or a command that a test needs: a command by its name, anything else by its absolute path. */
export type Tool = string;

function isThere(tool: Tool): boolean {
  if (tool.startsWith('/')) return existsSync(tool);
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** True if `fleetPython` has a module. */
export function hasModule(name: string): boolean {
  const probe = `import importlib.util, sys; sys.exit(importlib.util.find_spec("${name}") is None)`;
  return spawnSync(fleetPython, ['-c', probe]).status === 0;
}

/** Tools that every comparison needs. */
const ALWAYS: Tool[] = ['llvm-profgen-22', 'perf', 'qemu-x86_64', 'gcc'];

/**
 * Defines a test that needs tools. Without the tools the test is reported as skipped, with their names. Under CI,
 * where all tools must be installed, the test then fails.
 */
export function testWith(tools: readonly Tool[], name: string, body: TestFunction): void {
  const missing = [...new Set([...ALWAYS, ...tools])].filter((tool) => !isThere(tool));
  if (missing.length === 0) test(name, body);
  else if (process.env['CI']) test(name, () => Promise.reject(new Error(`missing: ${missing.join(', ')}`)));
  else test.skip(`${name} (missing: ${missing.join(', ')})`);
}

export interface Run {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. The program may fail. */
export function run(command: string, args: readonly string[], cwd: string): Run {
  const env = { ...process.env, LC_ALL: 'C', TMPDIR: cwd };
  const done = spawnSync(command, args, { cwd, env, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (done.error) throw done.error;
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

/** Runs a line of shell, which must succeed. */
export function shell(line: string, cwd: string, env: NodeJS.ProcessEnv = {}): void {
  const done = spawnSync('bash', ['-euo', 'pipefail', '-c', line], {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${line}\n${done.stdout}${done.stderr}`);
}

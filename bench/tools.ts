/** The programs that are compared. */
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Input } from './inputs.js';
import type { Command } from './measure.js';

export const OURS = 'autofdo-gen';
export const LLVM = 'llvm-profgen-22';
export const CREATE = 'create_llvm_prof';

export const PROFDATA = 'llvm-profdata-22';
export const PERF2BOLT = 'perf2bolt-22';
export const DWARFDUMP = 'llvm-dwarfdump-22';

/** Node with an empty program. */
export const node: Command = { program: process.execPath, args: ['-e', '0'] };

/** Returns a call of this project's command line. */
export function command(...args: string[]): Command {
  return { program: process.execPath, args: [resolve('dist/cli/main.js'), ...args] };
}

export function ours({ binary, perfData }: Input, output: string, ...flags: string[]): Command {
  const args = [`--binary=${binary}`, `--perfdata=${perfData}`, '--format=text', `--output=${output}`];
  return command(...args, ...flags);
}

export function llvmProfgen({ binary, perfData, script, flags = [] }: Input, output: string): Command {
  if (script !== undefined) {
    const perf = `perf script -F ip,brstack --show-mmap-events -i '${perfData}' 2>/dev/null >/dev/null`;
    const args = `--binary='${binary}' --perfscript='${script}' --format=text --output='${output}'`;
    return { program: 'sh', args: ['-c', `${perf} && ${LLVM} ${args}`] };
  }
  const args = [`--binary=${binary}`, `--perfdata=${perfData}`, '--format=text', `--output=${output}`];
  return { program: LLVM, args: [...args, ...flags] };
}

export function createLlvmProf({ binary, perfData }: Input, output: string): Command {
  return {
    program: CREATE,
    args: [`--binary=${binary}`, `--profile=${perfData}`, '--format=text', `--out=${output}`],
  };
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}

/** Returns the first line of a program's version text. */
export function version(program: string, ...args: string[]): string {
  const { stdout } = spawnSync(program, [...args, '--version'], { encoding: 'utf8' });
  return (
    (stdout ?? '')
      .split('\n')
      .find((line) => /\d\.\d/.test(line))
      ?.trim() ?? 'unknown'
  );
}

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOOL = 'llvm-profdata-22';

/** True if the reference implementation is installed. Otherwise, tests that need it are skipped. */
export const hasLlvmProfdata = spawnSync(TOOL, ['--version']).status === 0;

/** Runs `llvm-profdata`, and returns its output. */
export function llvmProfdata(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(TOOL, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${TOOL} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Runs `llvm-profdata merge --sample`, and returns the merged profile. */
export function llvmMerge(folder: string, ...args: string[]): Buffer {
  const output = join(folder, 'llvm-profdata.out');
  llvmProfdata('merge', '--sample', ...args, '-o', output);
  return readFileSync(output);
}

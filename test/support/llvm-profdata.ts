import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const TOOL = 'llvm-profdata-22';

/** Whether the reference implementation is installed; tests that need it are skipped otherwise. */
export const hasLlvmProfdata = spawnSync(TOOL, ['--version']).status === 0;

/** What `llvm-profdata` prints. */
export function llvmProfdata(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(TOOL, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${TOOL} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What `llvm-profdata merge --sample` writes. */
export function llvmMerge(folder: string, ...args: string[]): Buffer {
  const output = join(folder, 'llvm-profdata.out');
  llvmProfdata('merge', '--sample', ...args, '-o', output);
  return readFileSync(output);
}

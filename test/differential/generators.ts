import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli, type Run, run } from './tools.js';

/** The output and the messages of a generator. */
export interface Outcome extends Run {
  output: Buffer | undefined;
  /** The generator's `warning:` lines, in order. */
  warnings: string[];
}

/** Runs a generator in a folder. The result of a repeated run comes from memory. */
export type Generator = (folder: string, flags: readonly string[]) => Outcome;

function generator(name: string, command: string, before: readonly string[]): Generator {
  const outcomes = new Map<string, Outcome>();
  return (folder, flags) => {
    const key = JSON.stringify([folder, flags]);
    const known = outcomes.get(key);
    if (known) return known;
    const output = `${name}-${outcomes.size}${flags.join('').replace(/[^a-z0-9]+/gi, '-')}`.slice(0, 120);
    const done = run(command, [...before, ...flags, '-o', output], folder);
    const path = join(folder, output);
    const outcome: Outcome = {
      ...done,
      output: existsSync(path) ? readFileSync(path) : undefined,
      warnings: done.stderr.split('\n').filter((line) => line.startsWith('warning: ')),
    };
    outcomes.set(key, outcome);
    return outcome;
  };
}

export const llvmProfgen = generator('theirs', 'llvm-profgen-22', []);
export const llvmProfgen19 = generator('theirs-19', 'llvm-profgen-19', []);
export const ours = generator('ours', process.execPath, [cli]);
export const oursCompatible = generator('compatible', process.execPath, [cli, '--compat=llvm-profgen']);

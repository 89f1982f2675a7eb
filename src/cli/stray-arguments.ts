import type { Flag } from '../options/flag.js';
import { type ParsedArgs, UsageError } from './parse-args.js';

/**
 * Refuses arguments that are neither flags nor values of flags. `remedy` says what such an argument may have been
 * meant for; the flag before it often tells more: a shell makes several arguments of a pattern without quotes.
 */
export function refuseStrays({ positionals: [stray], preceding: [flag] }: ParsedArgs, remedy: string): void {
  if (stray === undefined) return;
  throw new UsageError(`unexpected argument '${stray}'`, flag === undefined ? remedy : after(flag, remedy));
}

function after({ name, kind, several }: Flag, remedy: string): string {
  if (kind === 'boolean') return `--${name} takes no value; ${remedy}`;
  const one = `--${name} takes one value`;
  if (several !== undefined) return `${one}: ${several}, or repeat the flag`;
  if (kind === 'list') return `${one}: repeat the flag for each`;
  if (kind === 'integers') return `${one}: put commas between the numbers, or repeat the flag`;
  return `${one}; ${remedy}`;
}

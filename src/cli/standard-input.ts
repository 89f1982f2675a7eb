import { list } from '../options/check.js';
import { UsageError } from './parse-args.js';
import { isTyped } from './terminal.js';

/** What to do instead of typing an input, by the kind of the input. */
const REMEDIES = {
  recording: 'pipe a recording into it: `perf record -o - ... | autofdo-gen ...`',
  text: 'pipe the text of `perf script` into it',
  profile: 'pipe a profile into it, or name the file of a profile',
  list: 'pipe the list into it, or name the file of the list',
};

/**
 * Refuses standard input (`-`) among the inputs if it is a terminal: the program would wait without a word for
 * somebody to type the input.
 */
export function refuseTerminal(
  inputs: string | readonly string[] | undefined,
  kind: keyof typeof REMEDIES,
): void {
  if (list(inputs).includes('-') && isTyped()) {
    throw new UsageError('standard input is a terminal', REMEDIES[kind]);
  }
}

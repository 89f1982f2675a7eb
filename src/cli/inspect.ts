import { INSPECT_FLAGS } from './flags.js';
import { parseFlags, UsageError } from './parse-args.js';
import { EXIT, printError } from './terminal.js';

/** Runs `inspect`; resolves to the exit status. */
export async function runInspect(args: readonly string[]): Promise<number> {
  try {
    const { positionals } = parseFlags(args, INSPECT_FLAGS);
    if (positionals.length !== 1) throw new UsageError('expected one file', 'autofdo-gen inspect perf.data');
    return EXIT.ok;
  } catch (error) {
    printError(error);
    return EXIT.usage;
  }
}

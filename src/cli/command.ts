import type { Flag } from './flags.js';
import type { ProfileCommand } from './help.js';
import { type ParsedArgs, parseFlags } from './parse-args.js';
import { EXIT, print, printError } from './terminal.js';

/** What the command line asks for, or the exit status when that was help or cannot be understood. */
export async function parseCommand<T>(
  args: readonly string[],
  flags: readonly Flag[],
  name: ProfileCommand,
  build: (parsed: ParsedArgs) => T,
): Promise<T | number> {
  try {
    const parsed = parseFlags(args, flags);
    if (parsed.values.get('help') === true) {
      print((await import('./help.js')).profileHelp(name));
      return EXIT.ok;
    }
    return build(parsed);
  } catch (error) {
    printError(error);
    return EXIT.usage;
  }
}

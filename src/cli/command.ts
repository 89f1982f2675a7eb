import type { Flag } from '../options/flag.js';
import { nameFlags } from '../options/wording.js';
import { COMMANDS, type CommandName } from './flags.js';
import { type ParsedArgs, parseFlags } from './parse-args.js';
import { EXIT, print, printError, useColours } from './terminal.js';

/**
 * Parses the command line. Returns the command, or the exit status if the command line asks for help or cannot be
 * understood.
 */
export async function parseCommand<T>(
  args: readonly string[],
  name: CommandName,
  build: (parsed: ParsedArgs) => T,
): Promise<T | number> {
  nameFlags();
  try {
    const flags: readonly Flag[] = COMMANDS[name].flags;
    const parsed = parseFlags(args, flags);
    const color = parsed.values.get('color');
    if (typeof color === 'boolean') useColours(color);
    const all = parsed.values.get('help-all') === true;
    if (all || parsed.values.get('help') === true) {
      const { commandHelp, fullHelp } = await import('./help.js');
      print(all ? fullHelp(name) : commandHelp(name));
      return EXIT.ok;
    }
    return build(parsed);
  } catch (error) {
    printError(error);
    return EXIT.usage;
  }
}

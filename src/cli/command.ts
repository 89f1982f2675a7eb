import { AutofdoError } from '../errors.js';
import type { Flag } from '../options/flag.js';
import { nameFlags } from '../options/wording.js';
import { COMMANDS, type CommandName } from './flags.js';
import { otherCommands } from './other-commands.js';
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
  let parsed: ParsedArgs | undefined;
  try {
    const flags: readonly Flag[] = COMMANDS[name].flags;
    parsed = parseFlags(args, flags, (spelling) => otherCommands(spelling, name));
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
    return failedToParse(error, parsed);
  }
}

/**
 * Prints why there is no command to run. Returns the exit status: 2 for wrong usage, and 1 for a file that is needed
 * to understand the command line and cannot be read.
 */
export async function failedToParse(error: unknown, parsed: ParsedArgs | undefined): Promise<number> {
  const isKnown = error instanceof AutofdoError;
  const isUsage = isKnown && error.code === 'INVALID_OPTIONS';
  if (isKnown && !isUsage && parsed?.values.get('json') === true) {
    print((await import('../report/json.js')).errorJson(error));
  }
  printError(error);
  return isUsage ? EXIT.usage : EXIT.failed;
}

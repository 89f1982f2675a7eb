import { COMMANDS, type Command, type CommandName } from '../../src/cli/flags.js';
import type { Flag } from '../../src/options/flag.js';

/** All commands with their names, in the order of the help. */
export const commands = Object.entries(COMMANDS) as [CommandName, Command][];

/** The flags that a command advertises. */
export function advertised(command: Command): Flag[] {
  return command.flags.filter(({ effect }) => effect === 'set');
}

/** How a flag is written: `-o`, `--output`. */
export function spellings({ name, aliases = [] }: Flag): string[] {
  return [`--${name}`, ...aliases.map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`))];
}

/** Whether a value follows the flag. */
export function takesValue(flag: Flag): boolean {
  return flag.kind !== 'boolean';
}

/** What a value may be: one of some words, a folder, a file, or a text that nothing can complete. */
export function valueKind(flag: Flag): readonly string[] | 'folder' | 'file' | 'text' {
  if (flag.choices !== undefined) return flag.choices;
  if (flag.value === 'DIR') return 'folder';
  return /^(FILE|PATH|LIST|WEIGHT,FILE)/.test(flag.value ?? '') ? 'file' : 'text';
}

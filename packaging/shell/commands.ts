import { COMMANDS, type Command, type CommandName } from '../../src/cli/flags.js';
import type { Flag } from '../../src/options/flag.js';

/** All commands with their names, in the order of the help. */
export const commands = Object.entries(COMMANDS) as [CommandName, Command][];

/** Returns the flags that a command lists in its help. */
export function advertised(command: Command): Flag[] {
  return command.flags.filter(({ effect }) => effect === 'set');
}

/** Returns the spellings of a flag: `-o`, `--output`. */
export function spellings({ name, aliases = [] }: Flag): string[] {
  return [`--${name}`, ...aliases.map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`))];
}

/** True if a value follows the flag. */
export function takesValue(flag: Flag): boolean {
  return flag.kind !== 'boolean';
}

/** Returns the kind of a flag's value: one of some words, a folder, a file, or a text that cannot be completed. */
export function valueKind(flag: Flag): readonly string[] | 'folder' | 'file' | 'text' {
  if (flag.choices !== undefined) return flag.choices;
  if (flag.value === 'DIR') return 'folder';
  return /^(FILE|PATH|LIST|WEIGHT,FILE)/.test(flag.value ?? '') ? 'file' : 'text';
}

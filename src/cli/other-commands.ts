import type { Flag } from '../options/flag.js';
import { COMMANDS, type Command, type CommandName } from './flags.js';

/**
 * Says which commands have a flag that the command `lacking` does not have. Returns `undefined` if none has it. If
 * the flag means different things in different commands, only the commands with the first meaning are named.
 */
export function otherCommands(spelling: string, lacking: CommandName): string | undefined {
  const found = Object.entries<Command>(COMMANDS).flatMap(([name, { flags }]) => {
    const flag = findFlag(flags, spelling.replaceAll('_', '-'));
    return flag === undefined ? [] : [{ name, group: flag.group }];
  });
  const names = found.filter(({ group }) => group === found[0]?.group).map(({ name }) => name);
  const last = names.pop();
  if (last === undefined) return undefined;
  if (names.length === 0) return `the command ${last} has this flag, and ${lacking} does not`;
  return `the commands ${names.join(', ')} and ${last} have this flag, and ${lacking} does not`;
}

function findFlag(flags: readonly Flag[], spelling: string): Flag | undefined {
  return flags.find(
    ({ name, aliases = [], effect }) => effect === 'set' && [name, ...aliases].includes(spelling),
  );
}

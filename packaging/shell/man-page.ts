// Makes the man page from the tables that define the command line.
import { FLAG_GROUPS, type Flag } from '../../src/options/flag.js';
import { advertised, commands, spellings } from './commands.js';

/** Writes autofdo-gen(1) in the man macros of roff. */
export function manPage(version: string): string {
  const sections = commands.flatMap(([name, command]) => [
    `.SH COMMAND ${name.toUpperCase()}`,
    `.B autofdo\\-gen ${roff(name)}:`,
    `${roff(command.what)}.`,
    ...command.usage.flatMap((line) => ['.PP', `.B autofdo\\-gen ${roff(name)}`, roff(line)]),
    ...FLAG_GROUPS.flatMap((group) => {
      const flags = advertised(command).filter((flag) => flag.group === group);
      return flags.length === 0 ? [] : [`.SS ${group}`, ...flags.flatMap(item)];
    }),
    ...command.more
      .split('\n\n')
      .filter((text) => text.trim() !== '')
      .flatMap((text) => ['.PP', ...text.trim().split('\n').map(roff)]),
  ]);
  return `${[
    `.TH AUTOFDO\\-GEN 1 "" "autofdo\\-gen ${roff(version)}" "User Commands"`,
    '.SH NAME',
    'autofdo\\-gen \\- LLVM AutoFDO sample profiles from perf.data',
    '.SH SYNOPSIS',
    '.B autofdo\\-gen',
    '.RI [ command ]',
    '.RI [ flags ]',
    '.SH DESCRIPTION',
    'Without the name of a command,',
    '.B generate',
    'runs. Flags may have one dash or two.',
    ...sections,
    '.SH SEE ALSO',
    '.BR perf\\-record (1),',
    '.BR clang (1)',
  ].join('\n')}\n`;
}

function item(flag: Flag): string[] {
  const value = flag.value === undefined ? '' : ` \\fI${roff(flag.value)}\\fR`;
  const standard = flag.default === undefined ? '' : ` Default: ${roff(flag.default)}.`;
  const names = spellings(flag).map((spelling) => `\\fB${roff(spelling)}\\fR`);
  return ['.TP', `${names.join(', ')}${value}`, `${roff(flag.doc)}${standard}`];
}

/**
 * Escapes a text for roff: a dash must not become a hyphen, and a dot at the start of a line must not become a
 * request.
 */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1');
}

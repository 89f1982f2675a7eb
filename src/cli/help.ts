import { nearest } from '../nearest.js';
import { FLAG_GROUPS, type Flag } from '../options/flag.js';
import { COMMANDS, type Command, type CommandName } from './flags.js';
import { UsageError } from './parse-args.js';
import { EXIT, print, printError, terminalWidth } from './terminal.js';

/** Columns of the flag names in help; longer ones get a line of their own. */
const NAME_WIDTH = 28;
/** Columns of the usage of each command. */
const USAGE_WIDTH = 54;
const LLVM_NAME_WIDTH = 46;

/** Runs `help`, of the program or of the command that is named; resolves to the exit status. */
export async function runHelpCommand(args: readonly string[]): Promise<number> {
  const [name = 'generate'] = args.filter((arg) => !arg.startsWith('-'));
  if (isCommand(name)) {
    print(commandHelp(name));
    return EXIT.ok;
  }
  return unknownCommand(name, Object.keys(COMMANDS)) ?? refuse(name, 'autofdo-gen --help lists the commands');
}

/** Prints that a command does not exist if another one has a name near it; returns the exit status. */
export function unknownCommand(name: string, known: readonly string[]): number | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : refuse(name, `did you mean autofdo-gen ${near}?`);
}

function refuse(name: string, hint: string): number {
  printError(new UsageError(`there is no command '${name}'`, hint));
  return EXIT.usage;
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** Help of a command; that of `generate` is the help of the program. */
export function commandHelp(name: CommandName, width = terminalWidth()): string {
  const { what, usage, flags, more }: Command = COMMANDS[name];
  const groups = FLAG_GROUPS.filter((group) => shown(flags).some((flag) => flag.group === group));
  const head =
    name === 'generate'
      ? programHead(width)
      : `autofdo-gen ${name}: ${what}

Usage:
${usage.map((line) => `  autofdo-gen ${name} ${line}\n`).join('')}`;
  return `${head}
${groups.map((group) => groupHelp(group, flags, width)).join('\n')}
${more}`;
}

function programHead(width: number): string {
  const lines = Object.entries<Command>(COMMANDS).map(
    ([
      name,
      {
        what,
        usage: [usage],
      },
    ]) => {
      const left = `  autofdo-gen ${name === 'generate' ? '' : `${name} `}${usage}`;
      const right = wrap(what, width - USAGE_WIDTH).join(`\n${' '.repeat(USAGE_WIDTH)}`);
      return `${left.padEnd(USAGE_WIDTH - 1)} ${right}\n`;
    },
  );
  return `autofdo-gen: LLVM AutoFDO profiles from perf.data

Usage:
${lines.join('')}
Each command has a --help of its own.

Examples:
  perf record -b -o perf.data ./app                     record (Intel LBR, AMD Zen 4, Arm BRBE)
  autofdo-gen --binary app --perfdata perf.data         writes app.afdo
  clang -O2 -gmlt -fprofile-sample-use=app.afdo ...     use it

  autofdo-gen --binary vmlinux --perfdata perf.data     the same for a kernel; KASLR is undone
  make LLVM=1 CLANG_AUTOFDO_PROFILE=vmlinux.afdo
`;
}

/** The same as LLVM's option parser lays it out, for who reads help with a program. */
export function llvmProfgenHelp(): string {
  const generic = ['help', 'version'];
  const section = (title: string, flags: readonly Flag[]) => {
    const lines = flags.map(({ name, value, kind, doc }) => {
      const left = kind === 'boolean' ? `--${name}` : `--${name}=<${(value ?? 'value').toLowerCase()}>`;
      return `  ${left.padEnd(LLVM_NAME_WIDTH)} - ${doc.replace(/\.$/, '')}\n`;
    });
    return `${title}:\n\n${lines.join('')}\n`;
  };
  const of = (wanted: (flag: Flag) => boolean) =>
    COMMANDS.generate.flags.filter(wanted).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return `OVERVIEW: llvm SPGO profile generator

USAGE: autofdo-gen [options]

OPTIONS:

${section(
  'Color Options',
  of(({ name }) => name === 'color'),
)}${section(
  'Generic Options',
  of(({ name }) => generic.includes(name)),
)}${section(
  'ProfGen Options',
  of(({ name, effect }) => effect === 'set' && !generic.includes(name)),
)}`;
}

function shown(flags: readonly Flag[]): Flag[] {
  return flags.filter(({ effect }) => effect === 'set');
}

function groupHelp(group: string, flags: readonly Flag[], width: number): string {
  const lines = shown(flags)
    .filter((flag) => flag.group === group)
    .map((flag) => flagHelp(flag, width));
  return `${group}:\n${lines.join('')}`;
}

function flagHelp(flag: Flag, width: number): string {
  const names = [
    `--${flag.name}`,
    ...(flag.aliases ?? []).map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`)),
  ];
  const left = `  ${names.join(', ')}${flag.value ? ` ${flag.value}` : ''}`;
  const doc =
    flag.default === undefined ? flag.doc : `${flag.doc.replace(/\.$/, '')} (default: ${flag.default}).`;
  const lines = wrap(doc, width - NAME_WIDTH);
  const indent = ' '.repeat(NAME_WIDTH);
  const head = left.length < NAME_WIDTH ? `${left.padEnd(NAME_WIDTH)}${lines.shift() ?? ''}\n` : `${left}\n`;
  return head + lines.map((line) => `${indent}${line}\n`).join('');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

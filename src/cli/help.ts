import { nearest } from '../nearest.js';
import { FLAG_GROUPS, type Flag, type FlagGroup } from '../options/flag.js';
import { wrap } from '../report/format.js';
import { COMMANDS, type Command, type CommandName } from './flags.js';
import { UsageError } from './parse-args.js';
import { EXIT, print, printError, terminalWidth } from './terminal.js';

/** Width of the flag names in the help, in columns. A longer name gets a line of its own. */
const NAME_WIDTH = 28;
/** Width of the usage of each command, in columns. */
const USAGE_WIDTH = 54;
const LLVM_NAME_WIDTH = 46;

/** Largest number of help lines that fit on a screen. A longer help lists only the main flags. */
const SCREEN = 40;

/** Runs `help` for the program, for a command, or for one group of its flags. Resolves to the exit status. */
export async function runHelpCommand(args: readonly string[]): Promise<number> {
  const words = args.filter((arg) => !arg.startsWith('-'));
  const [first = 'generate'] = words;
  const [name, topic] = isCommand(first) ? [first, words[1]] : (['generate', first] as const);
  if (topic === undefined) {
    const all = args.some((arg) => /^--?(help-)?all$/.test(arg));
    print(all ? fullHelp(name) : commandHelp(name));
    return EXIT.ok;
  }
  const text = topicHelp(name, topic);
  if (text !== undefined) {
    print(text);
    return EXIT.ok;
  }
  if (isCommand(first))
    return refuse(`${name} has no group of flags '${topic}'`, `they are ${topicsOf(name).join(', ')}`);
  return (
    unknownCommand(topic, Object.keys(COMMANDS)) ??
    refuse(noCommand(topic), 'autofdo-gen --help lists the commands')
  );
}

/**
 * Prints that a command does not exist, and names a known command with a similar name. Returns the exit status, or
 * `undefined` without printing if no known command has a similar name.
 */
export function unknownCommand(name: string, known: readonly string[]): number | undefined {
  const near = nearest(name, known);
  return near === undefined ? undefined : refuse(noCommand(name), `did you mean autofdo-gen ${near}?`);
}

function noCommand(name: string): string {
  return `there is no command '${name}'`;
}

function refuse(message: string, hint: string): number {
  printError(new UsageError(message, hint));
  return EXIT.usage;
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** Returns the help of a command that fits on a screen. The help of `generate` is the help of the program. */
export function commandHelp(name: CommandName, width = terminalWidth()): string {
  const { flags, main, more }: Command = COMMANDS[name];
  const full = fullHelp(name, width);
  if (main === undefined || full.split('\n').length <= SCREEN) return full;
  const lines = main.flatMap((wanted) => shown(flags).filter((flag) => flag.name === wanted));
  const command = name === 'generate' ? '' : ` ${name}`;
  const topics = topicsOf(name);
  const last = topics.pop();
  const ending = name === 'generate' ? '' : `\n${more}`;
  return `${head(name, width)}
Main flags${name === 'generate' ? ' for writing a profile' : ''}:
${lines.map((flag) => flagHelp(withoutSynonyms(flag), width)).join('')}
autofdo-gen${command} --help-all prints all flags, autofdo-gen help${command} TOPIC those of a topic:
${topics.join(', ')} or ${last}.
${ending}`;
}

/** Returns the help of a command with all of its flags. */
export function fullHelp(name: CommandName, width = terminalWidth()): string {
  const { flags, more }: Command = COMMANDS[name];
  const groups = FLAG_GROUPS.filter((group) => inGroup(flags, group).length > 0);
  return `${head(name, width)}
${groups.map((group) => groupHelp(group, flags, width)).join('\n')}
${more}`;
}

/** Returns the help of one group of flags, or `undefined` if the command has no group of this name. */
function topicHelp(name: CommandName, topic: string, width = terminalWidth()): string | undefined {
  const { flags }: Command = COMMANDS[name];
  const group = FLAG_GROUPS.find((known) => known.toLowerCase() === topic.toLowerCase());
  return group === undefined || inGroup(flags, group).length === 0
    ? undefined
    : groupHelp(group, flags, width);
}

function topicsOf(name: CommandName): string[] {
  const { flags }: Command = COMMANDS[name];
  return FLAG_GROUPS.filter((group) => inGroup(flags, group).length > 0).map((group) => group.toLowerCase());
}

/** Returns the flag with its name and its alias of a single letter, without other aliases. */
function withoutSynonyms({ aliases = [], ...flag }: Flag): Flag {
  return { ...flag, aliases: aliases.filter((alias) => alias.length === 1) };
}

function inGroup(flags: readonly Flag[], group: FlagGroup): Flag[] {
  return shown(flags).filter((flag) => flag.group === group);
}

function head(name: CommandName, width: number): string {
  if (name === 'generate') return programHead(width);
  const { what, usage }: Command = COMMANDS[name];
  return `autofdo-gen ${name}: ${what}

Usage:
${usage.map((line) => `  autofdo-gen ${name} ${line}\n`).join('')}`;
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

Example:
  perf record -b -o perf.data ./app                     record (Intel LBR, AMD Zen 4, Arm BRBE)
  autofdo-gen --binary app --perfdata perf.data         writes app.afdo; the same for a vmlinux
  clang -O2 -gmlt -fprofile-sample-use=app.afdo ...     use it
`;
}

/** Returns the help of `generate` in the layout of LLVM's option parser, for programs that read it. */
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

function groupHelp(group: FlagGroup, flags: readonly Flag[], width: number): string {
  const lines = inGroup(flags, group).map((flag) => flagHelp(flag, width));
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

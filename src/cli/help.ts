import { DOCTOR_FLAGS, FLAG_GROUPS, type Flag, GENERATE_FLAGS, INSPECT_FLAGS } from './flags.js';
import { CONVERT_FLAGS, MERGE_FLAGS, OVERLAP_FLAGS, SHOW_FLAGS } from './profile-flags.js';

/** Columns of the flag names in help; longer ones get a line of their own. */
const NAME_WIDTH = 28;
const LINE_WIDTH = 100;
const LLVM_NAME_WIDTH = 46;

/** Help of the default command. */
export function generateHelp(): string {
  return `autofdo-gen: LLVM AutoFDO profiles from perf.data

Usage:
  autofdo-gen --binary FILE --perfdata FILE [flags]     write a profile for clang or rustc
  autofdo-gen doctor --binary FILE [--perfdata FILE]    tell whether they are fit for a profile
  autofdo-gen inspect FILE [--json]                     tell what a perf.data holds
  autofdo-gen merge FILE... -o FILE                     add profiles up
  autofdo-gen show FILE                                 tell what a profile holds
  autofdo-gen overlap BASE TEST                         tell how two profiles differ
  autofdo-gen convert FILE -o FILE                      write a profile in another encoding

Each command has a --help of its own.

Examples:
  perf record -b -o perf.data ./app                     record (Intel LBR, AMD Zen 4, Arm BRBE)
  autofdo-gen --binary app --perfdata perf.data         writes app.afdo
  clang -O2 -gmlt -fprofile-sample-use=app.afdo ...     use it

  autofdo-gen --binary vmlinux --perfdata perf.data     the same for a kernel; KASLR is undone
  make LLVM=1 CLANG_AUTOFDO_PROFILE=vmlinux.afdo

${FLAG_GROUPS.map((group) => groupHelp(group, GENERATE_FLAGS)).join('\n')}
Flags are spelled as llvm-profgen's, with one dash or two; booleans take =0 or =1. Flags of
llvm-profgen that have no effect on these profiles are accepted.

Exit status: 0 a usable profile was written, 1 the job failed and nothing was written,
2 wrong usage, 130 interrupted.
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
    GENERATE_FLAGS.filter(wanted).toSorted((a, b) => (a.name < b.name ? -1 : 1));
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

/** Help of `inspect`. */
export function inspectHelp(): string {
  return `autofdo-gen inspect: what is in a perf.data

Usage:
  autofdo-gen inspect FILE [--json]          FILE may be a directory, a pipe stream or -

${flagLines(INSPECT_FLAGS)}`;
}

/** Help of the commands beside `generate` and `inspect`. */
export function profileHelp(name: ProfileCommand): string {
  const { what, usage, flags, more } = PROFILE_COMMANDS[name];
  const groups = FLAG_GROUPS.filter((group) => flags.some((flag) => flag.group === group));
  return `autofdo-gen ${name}: ${what}

Usage:
${usage.map((line) => `  autofdo-gen ${name} ${line}\n`).join('')}
${groups.map((group) => groupHelp(group, flags)).join('\n')}
${more}`;
}

const PROFILE_COMMANDS = {
  doctor: {
    what: 'tell whether a binary, and a recording of it, are fit for a profile',
    usage: ['--binary vmlinux [--json]', '--binary vmlinux --perfdata perf.data'],
    flags: DOCTOR_FLAGS,
    more: `How the binary was compiled, what of that a profile needs, and what it lacks; with a recording also
how much of it the binary explains and whether it is long enough. Ends with a verdict and the next
command to run.

Exit status: 0 usable, perhaps with limits; 1 not usable; 2 wrong usage.
`,
  },
  merge: {
    what: 'add profiles up',
    usage: [
      'a.afdo b.afdo -o all.afdo',
      "'fleet/*.afdo' --weighted-input=3,new.afdo --keep-going -o all.afdo",
    ],
    flags: MERGE_FLAGS,
    more: `The result says the same as that of llvm-profdata merge --sample, whose flags keep their spelling.
Profiles may be of any encoding; - is stdin.
`,
  },
  show: {
    what: 'tell what a profile holds',
    usage: ['a.afdo [--json]', 'a.afdo --function main', 'a.afdo --hot-func-list --demangle'],
    flags: SHOW_FLAGS,
    more: `The parts that llvm-profdata show --sample has too look as they do there. --json with --function or
--all-functions prints their counts; a count beyond 2^53 is a string.
`,
  },
  overlap: {
    what: 'tell how two profiles differ',
    usage: ['old.afdo new.afdo [--json]', 'old.afdo new.afdo --threshold 80'],
    flags: OVERLAP_FLAGS,
    more: `First llvm-profdata's numbers, then which functions appeared, vanished and changed most, and which
calls go elsewhere. The similarity of --threshold is that of the whole program.

Exit status: 0 compared, and similar enough; 1 not so similar, or the job failed; 2 wrong usage.
`,
  },
  convert: {
    what: 'write a profile in another encoding',
    usage: ['a.afdo --text -o a.prof', 'a.prof --use-md5 --compress-all-sections -o a.afdo'],
    flags: CONVERT_FLAGS,
    more: 'What the encoding cannot hold is lost, with a warning for each kind of thing.\n',
  },
};

/** Commands beside `generate` and `inspect`. */
export type ProfileCommand = keyof typeof PROFILE_COMMANDS;

function groupHelp(group: string, flags: readonly Flag[]): string {
  return `${group}:\n${flagLines(flags.filter((flag) => flag.group === group && flag.effect === 'set'))}`;
}

function flagLines(flags: readonly Flag[]): string {
  return flags.map(flagHelp).join('');
}

function flagHelp(flag: Flag): string {
  const names = [
    `--${flag.name}`,
    ...(flag.aliases ?? []).map((alias) => (alias.length === 1 ? `-${alias}` : `--${alias}`)),
  ];
  const left = `  ${names.join(', ')}${flag.value ? ` ${flag.value}` : ''}`;
  const doc =
    flag.default === undefined ? flag.doc : `${flag.doc.replace(/\.$/, '')} (default: ${flag.default}).`;
  const lines = wrap(doc, LINE_WIDTH - NAME_WIDTH);
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

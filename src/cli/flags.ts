import type { BindingListingOptions } from '../../native/binding/index.cjs';
import { COLLECT_OPTIONS } from '../options/collect.js';
import { COLOR, HELP, HELP_ALL, JSON_FINDINGS, JSON_RESULT, QUIET } from '../options/common.js';
import { COMPARE_OPTIONS } from '../options/compare.js';
import { DESCRIBE_OPTIONS } from '../options/describe.js';
import { DIAGNOSE_OPTIONS } from '../options/diagnose.js';
import { choice, type Flag, flag, flagsOf, ignored, type OptionTable, refused } from '../options/flag.js';
import { GENERATE_OPTIONS } from '../options/generate.js';
import { CONVERT_OPTIONS, MERGE_OPTIONS } from '../options/merge.js';
import { REPORT_OPTIONS } from '../options/report.js';
import {
  CREATE_LLVM_PROF_IGNORED,
  CREATE_LLVM_PROF_OWN,
  CREATE_LLVM_PROF_REFUSED,
} from './create-llvm-prof.js';

// Flags that steer the command line. Flags that set options of the library are defined with these options, in
// ../options.

/** Flags of `generate`. */
export const GENERATE_OWN = {
  json: JSON_RESULT,
  perfEvents: flag('Samples', 'list', 'perf-events', 'Only samples of these events, separated by commas.', {
    value: 'NAMES',
  }),
  showDensity: flag('Checks', 'boolean', 'show-density', 'Print the density of the hot part of the profile.'),
  timings: flag('Run', 'boolean', 'timings', 'Print how long each phase took.'),
  quiet: QUIET,
  verbose: flag('Run', 'boolean', 'verbose', 'Print summary and notes even if stderr is not a terminal.', {
    aliases: ['v'],
  }),
  color: COLOR,
  help: HELP,
  helpAll: HELP_ALL,
  version: flag('Run', 'boolean', 'version', 'Print the version.'),
};

/** Flags of listings, which `generate` prints instead of writing a profile. */
export const LISTING_OWN = {
  sourceLocations: flag(
    'Code',
    'boolean',
    'show-source-locations',
    'Print the source lines of each instruction, too.',
  ),
  canonicalNames: flag(
    'Code',
    'boolean',
    'show-canonical-fname',
    'Print function names without the suffixes that compilers add.',
  ),
  pseudoProbes: flag(
    'Code',
    'boolean',
    'show-pseudo-probe',
    'Print the pseudo probes of each instruction, too.',
  ),
  functions: flag(
    'Code',
    'list',
    'disassemble-functions',
    'Print only the code of these symbols; repeatable, or a comma list.',
    {
      value: 'NAME',
    },
  ),
  syntax: choice('Code', ['att', 'intel'], 'x86-asm-syntax', 'How instructions are written: att or intel.', {
    default: 'att',
  }),
} satisfies Partial<OptionTable<BindingListingOptions>>;

/** Flags that ask for a listing. */
export const LISTING_ONLY = {
  showDisassemblyOnly: flag(
    'Code',
    'boolean',
    'show-disassembly-only',
    'Print the code of the binary (x86-64) instead of a profile.',
  ),
};

const GENERATE_ACCEPTED = [
  refused('string', 'data-access-perftrace', 'data-access profiles are not supported'),
  refused('boolean', 'extbinary-write-vtable-type-prof', 'vtable profiles are not supported'),
  ...ignored('string', 'profile-symbol-list-cutoff'),
];

/** Flags of `collect`. */
export const COLLECT_OWN = { json: JSON_RESULT, quiet: QUIET, color: COLOR, help: HELP, helpAll: HELP_ALL };

/** Flags of `inspect`. */
export const INSPECT_OWN = { json: JSON_FINDINGS, color: COLOR, help: HELP, helpAll: HELP_ALL };

/** Flags of `doctor`. */
export const DOCTOR_OWN = {
  binaries: flag('Input', 'list', 'binary', 'The program, shared object or vmlinux; repeatable.', {
    value: 'FILE',
  }),
  json: JSON_FINDINGS,
  color: COLOR,
  help: HELP,
  helpAll: HELP_ALL,
};

const ENCODINGS = {
  extbinary: flag('Output', 'boolean', 'extbinary', 'The same as --format=extbinary.'),
  binary: flag('Output', 'boolean', 'binary', 'The same as --format=binary.'),
  text: flag('Output', 'boolean', 'text', 'The same as --format=text.'),
};

/** Flags of `convert`. */
export const CONVERT_OWN = {
  ...ENCODINGS,
  json: JSON_RESULT,
  quiet: QUIET,
  color: COLOR,
  help: HELP,
  helpAll: HELP_ALL,
};

/** Flags of `merge`. */
export const MERGE_OWN = {
  dumpInputFileList: flag(
    'Input',
    'boolean',
    'dump-input-file-list',
    'Print the inputs with their weights, one WEIGHT,FILE on each line.',
  ),
  weightedInput: flag(
    'Input',
    'list',
    'weighted-input',
    'A profile whose counts are multiplied; repeatable.',
    { value: 'WEIGHT,FILE' },
  ),
  inputFiles: flag(
    'Input',
    'list',
    'input-files',
    'File with a list of profiles, one [WEIGHT,]FILE on each line; repeatable.',
    {
      aliases: ['f'],
      value: 'LIST',
    },
  ),
  failureMode: choice(
    'Input',
    ['any', 'warn', 'all'],
    'failure-mode',
    'What to do if a profile cannot be read: fail (any), or leave it out as --keep-going does (warn, all).',
    { value: 'MODE', default: 'any' },
  ),
  ...CONVERT_OWN,
};

const DEMANGLE = flag(
  'Output',
  'boolean',
  'demangle',
  'Print names of C++ and Rust as the source has them.',
  { aliases: ['C'] },
);

/** The flag for the place of a text that is printed by default. */
const TEXT_OUTPUT = flag('Output', 'string', 'output', 'Where the text goes.', {
  aliases: ['o'],
  value: 'FILE',
  default: 'stdout',
});

/** Flags of `show`. */
export const SHOW_OWN = {
  json: JSON_FINDINGS,
  output: TEXT_OUTPUT,
  showFormat: choice(
    'Output',
    ['text', 'json', 'yaml'],
    'show-format',
    "Print all functions as llvm-profdata's text or JSON.",
  ),
  demangle: DEMANGLE,
  function: flag('Output', 'string', 'function', 'Print all counts of this function.', { value: 'NAME' }),
  allFunctions: flag('Output', 'boolean', 'all-functions', 'Print all counts of all functions.'),
  symbols: flag('Output', 'boolean', 'show-prof-sym-list', 'Print the profile symbol list.'),
  color: COLOR,
  help: HELP,
  helpAll: HELP_ALL,
};

/** Flags of `overlap`. */
export const OVERLAP_OWN = {
  json: JSON_FINDINGS,
  output: TEXT_OUTPUT,
  demangle: DEMANGLE,
  threshold: flag(
    'Checks',
    'percent',
    'threshold',
    'Exit with 1 if the profiles are less similar than this.',
    { value: 'PERCENT' },
  ),
  color: COLOR,
  help: HELP,
  helpAll: HELP_ALL,
};

/** The forms that a report can be written in. */
export const REPORT_FORMS = ['html', 'text', 'json', 'pprof', 'speedscope'] as const;

/** Flags of `report`. */
export const REPORT_OWN = {
  output: flag('Output', 'string', 'output', 'Where the report goes; its ending tells the form.', {
    aliases: ['o'],
    value: 'FILE',
    default: 'stdout, as text',
  }),
  format: choice('Output', REPORT_FORMS, 'format', 'html, text, json, pprof or speedscope.', {
    default: 'by the ending',
  }),
  text: flag('Output', 'boolean', 'text', 'The same as --format=text.'),
  json: flag('Output', 'boolean', 'json', 'The same as --format=json.'),
  top: flag('Output', 'integer', 'topn', 'How many functions and lines the text has.', {
    aliases: ['top'],
    value: 'N',
    default: '15',
    most: 2 ** 32 - 1,
  }),
  quiet: QUIET,
  color: COLOR,
  help: HELP,
  helpAll: HELP_ALL,
};

/** Flags that llvm-profdata 22 accepts, too, and ignores for sample profiles. */
const OF_OTHER_PROFILES = {
  merge: [
    ...ignored(
      'boolean',
      'sparse',
      'debuginfod',
      'keep-vtable-symbols',
      'memprof-full-schema',
      'memprof-random-hotness',
    ),
    ...ignored(
      'string',
      'binary-file',
      'debug-info',
      'profiled-binary',
      'instr-prof-cold-threshold',
      'max-debug-info-correlation-warnings',
      'memprof-random-hotness-seed',
      'memprof-version',
      'suppl-min-size-threshold',
      'zero-counter-threshold',
      'temporal-profile-max-trace-length',
      'temporal-profile-trace-reservoir-size',
    ),
  ],
  show: [
    ...ignored(
      'boolean',
      'counts',
      'text',
      'binary-ids',
      'covered',
      'ic-targets',
      'list-below-cutoff',
      'memop-sizes',
      'profile-version',
      'show-vtables',
      'showcs',
      'temporal-profile-traces',
    ),
    ...ignored(
      'string',
      'detailed-summary-cutoffs',
      'value-cutoff',
      'profiled-binary',
      'max-debug-info-correlation-warnings',
    ),
  ],
  overlap: ignored('boolean', 'cs'),
};

/** Flags of llvm-profdata for kinds of input and output that are not sample profiles. */
const NOT_SAMPLE: readonly Flag[] = [
  ...ignored('boolean', 'sample'),
  refused('boolean', 'instr', 'instrumentation profiles are not supported; use llvm-profdata'),
];

/**
 * A command. The help, the parser and anything made from the commands, for example shell completions, use this
 * definition.
 */
export interface Command {
  /** The action of the command, as an infinitive without "to". */
  readonly what: string;
  /** Lines of usage, without the name of the program and of the command. */
  readonly usage: readonly string[];
  /** Names of the flags in the command's help, if a help with all flags would not fit on a screen. */
  readonly main?: readonly string[];
  /**
   * All flags of the command. Flags whose effect is not `set` are accepted or refused, but not listed in the help.
   */
  readonly flags: readonly Flag[];
  /** Text at the end of the command's help. */
  readonly more: string;
}

/** All commands, by name. If no command is named, `generate` runs. */
export const COMMANDS = {
  generate: {
    what: 'write a profile for clang or rustc',
    usage: ['--binary FILE --perfdata FILE [flags]'],
    main: [
      'binary',
      'perfdata',
      'traces',
      'debug-binary',
      'output',
      'format',
      'pid',
      'event',
      'max-loss',
      'compat',
      'jobs',
    ],
    flags: [
      ...flagsOf(GENERATE_OPTIONS, CREATE_LLVM_PROF_OWN, LISTING_ONLY, LISTING_OWN, GENERATE_OWN),
      ...GENERATE_ACCEPTED,
      ...CREATE_LLVM_PROF_REFUSED,
      ...CREATE_LLVM_PROF_IGNORED,
    ],
    more: `Flags are spelled as llvm-profgen's, with one dash or two; booleans take =0 or =1. Flags of
llvm-profgen that have no effect on these profiles are accepted. A command line of create_llvm_prof
works, too: with --out, the encoding is text unless --format says otherwise.

Exit status: 0 a usable profile was written, 1 the job failed and nothing was written,
2 wrong usage, 130 interrupted.
`,
  },
  doctor: {
    what: 'check a binary, and a recording of it',
    usage: ['--binary FILE [--perfdata FILE]'],
    flags: flagsOf(DOCTOR_OWN, DIAGNOSE_OPTIONS),
    more: `The command tells how the binary was compiled, and what it lacks that a profile needs. With a
recording it also tells how much of the recording the binary explains, and whether the recording is
long enough. It ends with a verdict and the next command to run.

Exit status: 0 the binary is usable, perhaps with limits, 1 it is not usable, 2 wrong usage.
`,
  },
  collect: {
    what: 'write traces that add up in SQL',
    usage: ['--perfdata FILE -o DIR', '--perfdata - -o DIR --rotate 10m'],
    main: ['perfdata', 'output', 'rotate', 'host', 'samples', 'event', 'time', 'strict', 'jobs', 'quiet'],
    flags: flagsOf(COLLECT_OPTIONS, COLLECT_OWN),
    more: `No binary is needed here. Traces say how often each branch was taken, and where the straight run
after it ended, or how often each address was sampled. Add the files of all hosts up with
\`SUM(count)::UBIGINT ... GROUP BY ALL\` (in DuckDB; other engines write the cast otherwise), and
name the sum with --traces in place of --perfdata: the profile is the same. docs/trace-shards.md has
the whole statement and the columns.

Exit status: 0 the files are complete, 1 the job failed (files that were finished before stay),
2 wrong usage, 130 interrupted.
`,
  },
  inspect: {
    what: 'tell what a recording or traces hold',
    usage: ['FILE... [--json]'],
    flags: flagsOf(INSPECT_OWN),
    more: `FILE is a perf.data (file, directory, pipe, or - for stdin), traces of collect, a folder of traces,
or a quoted glob. With --json, a folder, a glob or several files give an array.

Exit status: 0 all files were described, 1 a file cannot be read, 2 wrong usage, 130 interrupted.
`,
  },
  report: {
    what: 'show where the weight of a profile lies',
    usage: ['a.afdo -o report.html', '--binary FILE --perfdata FILE -o report.html', 'a.afdo b.afdo --text'],
    main: [
      'binary',
      'perfdata',
      'source-dir',
      'base',
      'debug-binary',
      'output',
      'format',
      'text',
      'topn',
      'pid',
      'event',
    ],
    flags: flagsOf(REPORT_OWN, REPORT_OPTIONS),
    more: `The page is one file that needs no network. With --source-dir it has the source of what was sampled,
so whoever gets the page can read that source. pprof and speedscope open the forms of their names.
`,
  },
  merge: {
    what: 'add profiles up',
    usage: [
      'a.afdo b.afdo -o all.afdo',
      "'fleet/*.afdo' --weighted-input=3,new.afdo --keep-going -o all.afdo",
    ],
    main: ['weighted-input', 'input-files', 'keep-going', 'output', 'format', 'text', 'jobs', 'quiet'],
    flags: [
      ...flagsOf(MERGE_OWN, MERGE_OPTIONS),
      ...NOT_SAMPLE,
      refused('boolean', 'gcc', "GCC's encoding cannot be written; --extbinary is for clang"),
      refused(
        'string',
        'remapping-file',
        'names are not changed; use `llvm-profdata merge --sample --remapping-file`',
        { aliases: ['r'] },
      ),
      refused(
        'string',
        'supplement-instr-with-sample',
        'instrumentation profiles are not supported; use llvm-profdata',
      ),
      ...OF_OTHER_PROFILES.merge,
    ],
    more: `The result says the same as that of llvm-profdata merge --sample, whose flags keep their spelling.
Profiles may be of any encoding; - is stdin.
`,
  },
  show: {
    what: 'tell what a profile holds',
    usage: ['a.afdo [--json]', 'a.afdo --function main', 'a.afdo --hot-func-list --demangle'],
    flags: [
      ...flagsOf(SHOW_OWN, DESCRIBE_OPTIONS),
      ...NOT_SAMPLE,
      refused('boolean', 'memory', 'memory profiles are not supported; use llvm-profdata'),
      refused(
        'string',
        'debug-info',
        'this flag of llvm-profdata is about instrumentation profiles; `autofdo-gen doctor` tells of debug information',
      ),
      ...OF_OTHER_PROFILES.show,
    ],
    more: `What llvm-profdata show --sample prints, too, has the same form here. With --json, --function and
--all-functions print counts as JSON, as whole numbers with all their digits.
`,
  },
  overlap: {
    what: 'tell how two profiles differ',
    usage: ['old.afdo new.afdo [--json]', 'old.afdo new.afdo --threshold 80'],
    flags: [
      ...flagsOf(OVERLAP_OWN, COMPARE_OPTIONS),
      ...NOT_SAMPLE,
      ...OF_OTHER_PROFILES.overlap,
      refused(
        'string',
        'function',
        'in llvm-profdata it chooses calling contexts only; --topn lists what differs',
      ),
    ],
    more: `The command prints llvm-profdata's numbers, and then which functions appeared, vanished and changed
most, and which calls go elsewhere. The similarity of --threshold is that of the whole program.

Exit status: 0 the profiles are similar enough, 1 they are less similar than --threshold or the job
failed, 2 wrong usage.
`,
  },
  convert: {
    what: 'write a profile in another encoding',
    usage: ['a.afdo --text -o a.prof', 'a.prof --use-md5 --compress-all-sections -o a.afdo'],
    flags: [...flagsOf(CONVERT_OWN, CONVERT_OPTIONS), ...ignored('boolean', 'sample')],
    more: 'A warning names each kind of thing that the new encoding cannot hold.\n',
  },
} satisfies Record<string, Command>;

/** The name of a command. */
export type CommandName = keyof typeof COMMANDS;

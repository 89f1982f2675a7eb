/** How a flag's value is read. */
export type FlagKind = 'boolean' | 'string' | 'integer' | 'number' | 'list' | 'integers' | 'time';

/** Sections of `--help`, in its order. */
export const FLAG_GROUPS = ['Input', 'Output', 'Samples', 'Profile', 'Checks', 'Code', 'Run'] as const;

export type FlagGroup = (typeof FLAG_GROUPS)[number];

/**
 * What giving the flag does: `set` sets an option, `ignore` accepts llvm-profgen's flag because it has no effect on
 * what this program does, `refuse` names one that would change the result and is not supported.
 */
export type FlagEffect = 'set' | 'ignore' | 'refuse';

/** One row of the table from which parsing, validation, help and the README's list derive. */
export interface Flag {
  /** As LLVM's tools spell it, without dashes. */
  readonly name: string;
  /** Other spellings; one of a single letter is used with one dash. */
  readonly aliases?: readonly string[];
  readonly kind: FlagKind;
  readonly effect: FlagEffect;
  readonly group: FlagGroup;
  /** Placeholder for the value in help. */
  readonly value?: string;
  /** Allowed values. */
  readonly choices?: readonly string[];
  /** Default, as text for help. */
  readonly default?: string;
  /** One sentence for help; for `refuse`, what to do instead. */
  readonly doc: string;
}

/** A flag that sets an option. */
export function row(
  group: FlagGroup,
  kind: FlagKind,
  name: string,
  doc: string,
  more: Partial<Flag> = {},
): Flag {
  return { group, kind, name, doc, effect: 'set', ...more };
}

/** Flags that LLVM's tools have and that change nothing here. */
export function ignored(kind: FlagKind, ...names: string[]): Flag[] {
  return names.map((name) =>
    row('Run', kind, name, 'Accepted for scripts; has no effect here.', { effect: 'ignore' }),
  );
}

/** A flag that LLVM's tools have and that would change the result; `doc` says what to do instead. */
export function refused(kind: FlagKind, name: string, doc: string, more: Partial<Flag> = {}): Flag {
  return row('Run', kind, name, doc, { ...more, effect: 'refuse' });
}

/** Of every command. */
export const HELP = row('Run', 'boolean', 'help', 'Print this.', { aliases: ['h'] });

/** Of the commands that run a job on all processors. */
export const JOBS = row('Run', 'integer', 'jobs', 'Worker threads.', {
  aliases: ['j', 'num-threads'],
  value: 'N',
  default: 'one a processor',
});

/** All flags of `autofdo-gen generate`. */
export const GENERATE_FLAGS: readonly Flag[] = [
  row(
    'Input',
    'list',
    'binary',
    'The profiled program, shared object or vmlinux; repeat it for several, each gets a profile.',
    { value: 'FILE' },
  ),
  row(
    'Input',
    'list',
    'binary-dir',
    'Folder to find more binaries in, by the build ids in the recording; repeatable.',
    { value: 'DIR' },
  ),
  row(
    'Input',
    'boolean',
    'all-binaries',
    'Profile every recorded file that this machine has, with debug information.',
  ),
  row(
    'Input',
    'list',
    'perfdata',
    'Recording of `perf record -b`; repeat it, or use a glob, for several; - is stdin.',
    {
      aliases: ['pd'],
      value: 'FILE',
    },
  ),
  row(
    'Input',
    'list',
    'perfscript',
    'Text of `perf script -F ip,brstack --show-mmap-events`, with or without counts; - is stdin.',
    { aliases: ['ps'], value: 'FILE' },
  ),
  row('Input', 'string', 'unsymbolized-profile', 'Counters as --skip-symbolization writes them.', {
    aliases: ['up'],
    value: 'FILE',
  }),
  row('Input', 'string', 'llvm-sample-profile', 'A finished profile, to post-process and re-encode.', {
    value: 'FILE',
  }),
  row('Input', 'boolean', 'kernel', 'The binary is a vmlinux.', { default: 'recognised' }),
  row('Input', 'string', 'debug-binary', 'ELF file that has the DWARF (and symbols) of the binary.', {
    value: 'FILE',
    default: 'the binary, its build-id file or debuglink',
  }),
  row('Input', 'string', 'dwp', 'DWARF package of the binary.', { value: 'FILE', default: '<binary>.dwp' }),

  row('Output', 'string', 'output', 'Where the profile goes; - is stdout. Of several binaries: a folder.', {
    aliases: ['o'],
    value: 'FILE',
    default: '<binary name>.afdo',
  }),
  row('Output', 'boolean', 'merge-binaries', 'One profile of all binaries (default: merged.afdo).'),
  row('Output', 'string', 'format', 'Encoding: extbinary, binary or text.', {
    value: 'NAME',
    choices: ['extbinary', 'binary', 'text'],
    default: 'extbinary',
  }),
  row('Output', 'boolean', 'use-md5', 'Write names as MD5 prefixes (extbinary).'),
  row('Output', 'boolean', 'populate-profile-symbol-list', "List the binary's functions (extbinary)."),
  row(
    'Output',
    'boolean',
    'skip-symbolization',
    'Write range and branch counters as text instead of a profile.',
  ),
  row('Output', 'boolean', 'use-offset', 'Counters hold offsets from the preferred base.', { default: 'on' }),
  row(
    'Output',
    'boolean',
    'use-first-loadable-segment-as-base',
    'These offsets count from the first segment.',
  ),
  row('Output', 'boolean', 'json', 'Print the result, or the error, as JSON on stdout.'),

  row('Samples', 'list', 'event', 'Only samples of this event; repeatable.', {
    aliases: ['perf-event'],
    value: 'NAME',
  }),
  row('Samples', 'list', 'perf-events', 'The same for several events, between commas.', { value: 'NAMES' }),
  row('Samples', 'integers', 'pid', 'Only samples of this process; repeatable, or a comma list.', {
    value: 'PID',
  }),
  row('Samples', 'integers', 'tid', 'Only samples of this thread; repeatable, or a comma list.', {
    value: 'TID',
  }),
  row('Samples', 'integers', 'cpu', 'Only samples of these processors: 0,2,4-7.', { value: 'LIST' }),
  row(
    'Samples',
    'time',
    'time',
    'Only samples between these times, in seconds as perf prints them; either may be empty.',
    {
      value: 'START,STOP',
    },
  ),
  row(
    'Samples',
    'boolean',
    'ignore-build-id',
    'Use a mapping of the right name although its build id differs.',
  ),

  row('Samples', 'boolean', 'ignore-stack-samples', 'Of text with call stacks, use the branch stacks alone.'),
  row('Samples', 'boolean', 'leading-ip-only', 'Count sampled addresses instead of branch stacks.'),
  row('Samples', 'integer', 'sample-period', 'Events for one sample; counts become those of events.', {
    value: 'N',
  }),

  row('Profile', 'string', 'compat', 'llvm-profgen: the same bytes even where llvm-profgen loses samples.', {
    value: 'NAME',
    choices: ['llvm-profgen'],
  }),
  row(
    'Profile',
    'boolean',
    'fill-zero-for-all-funcs',
    'Zero counts for all functions, not only for sampled ones.',
  ),
  row('Profile', 'boolean', 'update-total-samples', 'Function totals are the sums of their body counts.'),
  row('Profile', 'boolean', 'trim-cold-profile', 'Drop functions colder than the cold threshold.'),
  row('Profile', 'integer', 'profile-summary-cutoff-cold', 'Cold cut-off in millionths.', {
    value: 'N',
    default: '999999',
  }),
  row('Profile', 'integer', 'profile-summary-cold-count', 'Cold threshold as a count.', { value: 'N' }),
  row('Profile', 'boolean', 'use-dwarf-correlation', 'Use DWARF although the binary has pseudo probes.'),
  row(
    'Profile',
    'boolean',
    'load-function-from-symbol',
    'With pseudo probes: take functions without DWARF from the symbol table.',
    { default: 'on' },
  ),

  row('Checks', 'number', 'max-loss', 'Fail when more than this percentage of the branch entries is lost.', {
    value: 'PERCENT',
  }),
  row('Checks', 'boolean', 'strict', 'Damage in an input is an error, not a warning.'),
  row('Checks', 'boolean', 'show-mmap-events', 'Print the mappings that the recording tells of.'),
  row('Checks', 'boolean', 'show-detailed-warning', 'Print each doubtful thing besides their number.'),
  row('Checks', 'boolean', 'show-density', 'Print the density of the hot part of the profile.'),
  row('Checks', 'number', 'profile-density-threshold', 'Density below which more samples are recommended.', {
    value: 'N',
    default: '50',
  }),
  row(
    'Checks',
    'integer',
    'profile-density-cutoff-hot',
    'Share of samples that density covers, in millionths.',
    {
      value: 'N',
      default: '990000',
    },
  ),

  row(
    'Code',
    'boolean',
    'show-disassembly-only',
    'Print the code of the binary (x86-64) instead of a profile.',
  ),
  row('Code', 'boolean', 'show-source-locations', 'With the source lines of each instruction.'),
  row('Code', 'boolean', 'show-canonical-fname', 'With function names without the suffixes of compilers.'),
  row('Code', 'boolean', 'show-pseudo-probe', 'With the pseudo probes of each instruction.'),
  row('Code', 'list', 'disassemble-functions', 'Only these symbols; repeatable, or a comma list.', {
    value: 'NAME',
  }),
  row('Code', 'string', 'x86-asm-syntax', 'How instructions are written: att or intel.', {
    value: 'NAME',
    choices: ['att', 'intel'],
    default: 'att',
  }),

  JOBS,
  row('Run', 'boolean', 'timings', 'Print how long each phase took.'),
  row('Run', 'boolean', 'quiet', 'No summary, notes or progress; warnings and errors only.', {
    aliases: ['q'],
  }),
  row('Run', 'boolean', 'verbose', 'Print summary and notes although stderr is no terminal.', {
    aliases: ['v'],
  }),
  row('Run', 'boolean', 'color', 'Colour the words "error" and "warning".', { default: 'on a terminal' }),
  HELP,
  row('Run', 'boolean', 'version', 'Print the version.'),

  refused('string', 'data-access-perftrace', 'data-access profiles are not supported'),
  refused('boolean', 'mark-all-context-preinlined', 'context-sensitive profiles are not supported'),
  refused('boolean', 'extbinary-write-vtable-type-prof', 'vtable profiles are not supported'),
  ...ignored(
    'boolean',
    'infer-missing-frames',
    'csprof-merge-cold-context',
    'gen-cs-nested-profile',
    'csspgo-preinliner',
    'csspgo-replay-preinline',
    'use-context-cost-for-preinliner',
    'sort-profiled-scc-member',
    'generate-merged-base-profiles',
  ),
  ...ignored(
    'string',
    'max-search-depth',
    'csprof-max-context-depth',
    'csprof-max-unsymbolized-context-depth',
    'csprof-max-cold-context-depth',
    'compress-recursion',
    'csspgo-preinliner-multiplier-for-previous-inlining',
    'profile-summary-cutoff-hot',
    'profile-summary-hot-count',
    'sample-profile-hot-inline-threshold',
    'sample-profile-cold-inline-threshold',
    'sample-profile-inline-limit-max',
    'sample-profile-inline-limit-min',
    'sample-profile-inline-growth-limit',
    'profile-symbol-list-cutoff',
  ),
];

/** All flags of `autofdo-gen inspect`. */
export const INSPECT_FLAGS: readonly Flag[] = [
  row('Output', 'boolean', 'json', 'Print the findings as JSON.'),
  HELP,
];

/** All flags of `autofdo-gen doctor`; those that `generate` has too mean the same. */
export const DOCTOR_FLAGS: readonly Flag[] = [
  row('Input', 'list', 'binary', 'The program, shared object or vmlinux; repeatable.', { value: 'FILE' }),
  row('Input', 'list', 'perfdata', 'Recording of it; repeat it, or use a glob, for several.', {
    aliases: ['pd'],
    value: 'FILE',
  }),
  ...GENERATE_FLAGS.filter(({ name }) =>
    ['debug-binary', 'dwp', 'ignore-build-id', 'profile-density-threshold'].includes(name),
  ),
  row('Output', 'boolean', 'json', 'Print the findings as JSON.'),
  HELP,
];

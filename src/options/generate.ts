import type { BindingGenerateOptions } from '../../native/binding/index.cjs';
import type { Progress } from '../progress.js';
import type { ProfileFormat } from '../sample-profile/types.js';
import { checkOptions, defined, invalid, list, u64 } from './check.js';
import { COLD_COUNT, CUTOFF_COLD, FORMATS, JOBS, MILLION, USE_MD5 } from './common.js';
import { CONTEXT_OPTIONS, type ContextOptions, toBindingContexts } from './contexts.js';
import { choice, flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';
import { type SampleSelection, SELECTION_OPTIONS, withBindingSelection } from './selection.js';

/** What is written: a profile in some encoding, or one of two texts for BOLT. */
export type GenerateFormat = ProfileFormat | 'preaggregated' | 'fdata';

/**
 * What to generate a profile from, and how. A binary (`binary`, `binaryDir` or `allBinaries`) and exactly one of `perfData`,
 * `perfScript`, `traces`, `unsymbolizedProfile` and `llvmSampleProfile` are needed; everything else has llvm-profgen's default.
 * Names are those of the flags.
 */
export interface GenerateOptions extends SampleSelection, ContextOptions {
  /**
   * The profiled executables, shared objects or vmlinux: ELF files with symbols and, here or in a debug file, DWARF. Of several, each
   * gets a profile of its own, from one reading of the recordings.
   */
  binary?: string | readonly string[] | undefined;
  /** Folders to look for more binaries in: the files that the recordings map, by build id, or by name where none is known. */
  binaryDir?: string | readonly string[] | undefined;
  /** Profile every file of this machine that the recordings map and that has debug information; default false. */
  allBinaries?: boolean | undefined;
  /** Add up the profiles of all binaries to one, as `llvm-profdata merge --sample` does; default false. */
  mergeBinaries?: boolean | undefined;
  /** One or more recordings of `perf record -b`: files, directories or pipe streams; `-` is standard input. */
  perfData?: string | readonly string[] | undefined;
  /**
   * One or more texts that `perf script -F ip,brstack --show-mmap-events` printed, or the like of it: files or pipes;
   * `-` is standard input. A line that is a number says how often the sample behind it was taken. Text says less than
   * the recording: samples have no process, so all mappings of the binary are one address space, newer ones on top.
   */
  perfScript?: string | readonly string[] | undefined;
  /**
   * Trace shards of `collectTraces`, or what an SQL engine made of them by adding them up: files, or folders with such files, which
   * may be partitioned as Hive does it. The profile is the one that the recordings themselves give.
   */
  traces?: string | readonly string[] | undefined;
  /** Range and branch counters as text, as `skipSymbolization` writes them. */
  unsymbolizedProfile?: string | undefined;
  /** A finished sample profile that is only post-processed and re-encoded. */
  llvmSampleProfile?: string | undefined;

  /**
   * File to write; it is replaced as a whole once the profile is complete. With several binaries, or binaries that are looked
   * for, the folder that gets a file for each, unless they are merged. Absent: `bytes` of the result. It is never a file that the
   * job reads, whatever links lead there, nor any ELF file or recording: that is `INVALID_OPTIONS`.
   */
  output?: string | undefined;
  /**
   * The caller prints `bytes`: the job fails with `INVALID_OPTIONS` if standard output was redirected into a file that it reads;
   * default false.
   */
  toStdout?: boolean | undefined;
  /**
   * Encoding; default `extbinary`. Instead of a profile, two formats are texts for BOLT. `fdata`: branches by function and offset, as
   * perf2bolt writes them (`llvm-bolt -data`). `preaggregated`: traces by address (`perf2bolt -pa`, `llvm-bolt -pa`).
   */
  format?: GenerateFormat | undefined;
  /** `llvm-profgen`: equal to llvm-profgen 22 even where that is known to lose samples. */
  compat?: 'llvm-profgen' | undefined;

  /** Whether the binary is a vmlinux; absent: recognised. */
  kernel?: boolean | undefined;
  /** ELF file that has the binary's DWARF, and its symbols if it is stripped; absent: the binary, its build-id file or its debuglink. */
  debugBinary?: string | undefined;
  /** DWARF package; default `<binary>.dwp`. */
  dwp?: string | undefined;
  /**
   * Fetch debug files that are not on this machine from the servers that the environment names in `DEBUGINFOD_URLS`, by build id, into the
   * cache that elfutils' tools use; default: true if servers are named and `compat` is not set.
   */
  debuginfod?: boolean | undefined;
  /** Use samples of a mapping of the right name whose build id differs from the binary's; default false. */
  ignoreBuildId?: boolean | undefined;

  /**
   * Use the branch stacks of a text that has call stacks too; default false: such a text is refused, because it is
   * meant for a profile with calling contexts, which is not made. Samples whose call stack is unsure are left out.
   */
  ignoreStackSamples?: boolean | undefined;
  /**
   * What of the samples counts. `branches`: their branch stacks. `addresses`: the sampled addresses, from which is inferred how often
   * code was executed. Absent: branch stacks, or addresses if no sample has any.
   */
  samples?: 'branches' | 'addresses' | undefined;
  /** Count sampled addresses instead of branch stacks: where an event happens, such as a misprediction; default false. */
  leadingIpOnly?: boolean | undefined;
  /**
   * Events for one sample (`perf record -c`). Counts become those of events, and comparable between profiles by
   * branch stacks and by addresses; absent: counts are those of samples.
   */
  samplePeriod?: number | bigint | undefined;

  /** Zero counts for every function of the binary, not only for sampled ones; default false. */
  fillZeroForAllFuncs?: boolean | undefined;
  /** Function totals are sums of body counts; default false. */
  updateTotalSamples?: boolean | undefined;
  /** Drop top-level functions colder than the cold threshold; default false. */
  trimColdProfile?: boolean | undefined;
  /** Names as 64-bit MD5 prefixes (`extbinary` only); default false. */
  useMd5?: boolean | undefined;
  /** List the binary's functions, so that clang tells cold ones from new ones (`extbinary` only); default false. */
  populateProfileSymbolList?: boolean | undefined;
  /** Write counters as text instead of a profile; default false. */
  skipSymbolization?: boolean | undefined;
  /** Counters hold offsets from the preferred base; default true. */
  useOffset?: boolean | undefined;
  /** Offsets count from the first loadable segment instead; default false. */
  useFirstLoadableSegmentAsBase?: boolean | undefined;
  /** Use DWARF although the binary has pseudo probes; default false. */
  useDwarfCorrelation?: boolean | undefined;
  /** With pseudo probes: take functions that the debug information lacks from the symbol table; default true. */
  loadFunctionFromSymbol?: boolean | undefined;

  /** Density below which a warning recommends more samples; default 50. */
  profileDensityThreshold?: number | undefined;
  /** Share of samples that the density covers, in millionths (0 to 1000000); default 990000. */
  profileDensityCutoffHot?: number | undefined;
  /** Cut-off in millionths whose count separates cold from warm; default 999999. */
  profileSummaryCutoffCold?: number | undefined;
  /** The cold threshold as a count; overrides the cut-off. */
  profileSummaryColdCount?: number | bigint | undefined;

  /** Fail with `LOSS_EXCEEDED` when more than this percentage (0 to 100) of the branch entries is lost. */
  maxLoss?: number | undefined;
  /** Report each mapping of the recording in a note with the code `mmap-event`; default false. */
  showMmapEvents?: boolean | undefined;
  /** Report each doubtful range, address and function besides their number; default false. */
  showDetailedWarning?: boolean | undefined;
  /** Damage in an input, or in debug information that samples need, is an error (`INPUT_DAMAGED`) instead of a diagnostic; default false. */
  strict?: boolean | undefined;
  /** Worker threads; default 0: one for each processor. */
  jobs?: number | undefined;

  /** Aborts the job: the promise is rejected with the signal's reason and no file is left behind. */
  signal?: AbortSignal | undefined;
  /** Called about ten times a second, and at the start of each phase. What it throws ends the job. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** The definition of each option. */
export const GENERATE_OPTIONS = {
  binary: flag(
    'Input',
    'list',
    'binary',
    'The profiled program, shared object or vmlinux; repeat it for several, each gets a profile.',
    { value: 'FILE' },
  ),
  binaryDir: flag(
    'Input',
    'list',
    'binary-dir',
    'Folder to find more binaries in, by the build ids in the recording; repeatable.',
    { value: 'DIR' },
  ),
  allBinaries: flag(
    'Input',
    'boolean',
    'all-binaries',
    'Profile every recorded file that this machine has, with debug information.',
  ),
  perfData: flag(
    'Input',
    'list',
    'perfdata',
    'Recording of `perf record -b`; repeat it, or use a glob, for several; - is stdin.',
    {
      aliases: ['pd', 'profile'],
      value: 'FILE',
    },
  ),
  perfScript: flag(
    'Input',
    'list',
    'perfscript',
    'Text of `perf script -F ip,brstack --show-mmap-events`, with or without counts; - is stdin.',
    { aliases: ['ps'], value: 'FILE' },
  ),
  traces: flag(
    'Input',
    'list',
    'traces',
    'Traces of `autofdo-gen collect`, added up in SQL or not; files, globs or folders; repeatable.',
    { value: 'FILE' },
  ),
  unsymbolizedProfile: flag(
    'Input',
    'string',
    'unsymbolized-profile',
    'Counters as --skip-symbolization writes them.',
    {
      aliases: ['up'],
      value: 'FILE',
    },
  ),
  llvmSampleProfile: flag(
    'Input',
    'string',
    'llvm-sample-profile',
    'A finished profile, to post-process and re-encode.',
    {
      value: 'FILE',
    },
  ),
  kernel: flag('Input', 'boolean', 'kernel', 'The binary is a vmlinux.', { default: 'recognised' }),
  debugBinary: flag(
    'Input',
    'string',
    'debug-binary',
    'ELF file that has the DWARF (and symbols) of the binary.',
    {
      value: 'FILE',
      default: 'the binary, its build-id file or debuglink',
    },
  ),
  dwp: flag('Input', 'string', 'dwp', 'DWARF package of the binary.', {
    value: 'FILE',
    default: '<binary>.dwp',
  }),
  debuginfod: flag(
    'Input',
    'boolean',
    'debuginfod',
    'Fetch missing debug files from the servers in DEBUGINFOD_URLS; --no-debuginfod: never.',
    { default: 'if that is set' },
  ),
  output: flag(
    'Output',
    'string',
    'output',
    'Where the profile goes; - is stdout. Of several binaries: a folder.',
    {
      aliases: ['o', 'out', 'gcov'],
      value: 'FILE',
      default: '<binary name>.afdo',
    },
  ),
  toStdout: unflagged('boolean'),
  mergeBinaries: flag(
    'Output',
    'boolean',
    'merge-binaries',
    'One profile of all binaries (default: merged.afdo).',
  ),
  format: choice(
    'Output',
    [...FORMATS, 'preaggregated', 'fdata'] as const,
    'format',
    'Encoding: extbinary, binary, text; or fdata or preaggregated, for BOLT.',
    { default: 'extbinary' },
  ),
  useMd5: USE_MD5,
  populateProfileSymbolList: flag(
    'Output',
    'boolean',
    'populate-profile-symbol-list',
    "List the binary's functions (extbinary).",
    { aliases: ['prof-sym-list'] },
  ),
  skipSymbolization: flag(
    'Output',
    'boolean',
    'skip-symbolization',
    'Write range and branch counters as text instead of a profile.',
  ),
  useOffset: flag('Output', 'boolean', 'use-offset', 'Counters hold offsets from the preferred base.', {
    default: 'on',
  }),
  useFirstLoadableSegmentAsBase: flag(
    'Output',
    'boolean',
    'use-first-loadable-segment-as-base',
    'Counters hold offsets from the first loadable segment.',
  ),
  ...SELECTION_OPTIONS,
  ignoreBuildId: flag(
    'Samples',
    'boolean',
    'ignore-build-id',
    'Use a mapping of the right name although its build id differs.',
  ),
  ignoreStackSamples: flag(
    'Samples',
    'boolean',
    'ignore-stack-samples',
    'Use branch stacks alone, although samples have call stacks, too.',
  ),
  ...CONTEXT_OPTIONS,
  samples: choice(
    'Samples',
    ['branches', 'addresses'],
    'samples',
    'What of a sample counts: its branch stack (branches) or its address (addresses).',
    { default: 'branches, or addresses if there are none' },
  ),
  leadingIpOnly: flag(
    'Samples',
    'boolean',
    'leading-ip-only',
    'Count sampled addresses instead of branch stacks.',
  ),
  samplePeriod: flag(
    'Samples',
    'u64',
    'sample-period',
    'Events for one sample; counts become those of events.',
    {
      value: 'N',
    },
  ),
  compat: choice(
    'Profile',
    ['llvm-profgen'],
    'compat',
    'llvm-profgen: write what llvm-profgen writes, even where it loses samples, and its warnings.',
  ),
  fillZeroForAllFuncs: flag(
    'Profile',
    'boolean',
    'fill-zero-for-all-funcs',
    'Zero counts for all functions, not only for sampled ones.',
  ),
  updateTotalSamples: flag(
    'Profile',
    'boolean',
    'update-total-samples',
    'Function totals are the sums of their body counts.',
  ),
  trimColdProfile: flag(
    'Profile',
    'boolean',
    'trim-cold-profile',
    'Drop functions colder than the cold threshold.',
  ),
  profileSummaryCutoffCold: CUTOFF_COLD,
  profileSummaryColdCount: COLD_COUNT,
  useDwarfCorrelation: flag(
    'Profile',
    'boolean',
    'use-dwarf-correlation',
    'Use DWARF although the binary has pseudo probes.',
  ),
  loadFunctionFromSymbol: flag(
    'Profile',
    'boolean',
    'load-function-from-symbol',
    'With pseudo probes: take functions without DWARF from the symbol table.',
    { default: 'on' },
  ),
  maxLoss: flag(
    'Checks',
    'percent',
    'max-loss',
    'Fail when more than this percentage of the branch entries is lost.',
    {
      value: 'PERCENT',
    },
  ),
  strict: flag(
    'Checks',
    'boolean',
    'strict',
    'Damage in an input, or in debug information that samples need, is an error, not a warning.',
  ),
  showMmapEvents: flag(
    'Checks',
    'boolean',
    'show-mmap-events',
    'Print the mappings that the recording tells of.',
  ),
  showDetailedWarning: flag(
    'Checks',
    'boolean',
    'show-detailed-warning',
    'Print each doubtful function, range and address, and not only how many there are.',
  ),
  profileDensityThreshold: flag(
    'Checks',
    'number',
    'profile-density-threshold',
    'Density below which more samples are recommended.',
    {
      value: 'N',
      default: '50',
    },
  ),
  profileDensityCutoffHot: flag(
    'Checks',
    'integer',
    'profile-density-cutoff-hot',
    'Share of samples that density covers, in millionths.',
    {
      value: 'N',
      default: '990000',
      most: MILLION,
    },
  ),
  jobs: JOBS,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<GenerateOptions>;

/** Options as the addon takes them. Throws `INVALID_OPTIONS`. */
export function toBindingOptions(options: GenerateOptions): BindingGenerateOptions {
  checkOptions(options, GENERATE_OPTIONS);
  const binaries = list(options.binary);
  const looksForBinaries = list(options.binaryDir).length > 0 || options.allBinaries === true;
  if ((binaries.length === 0 && !looksForBinaries) || binaries.includes('')) {
    throw invalid('no binary was given', 'set `binary`');
  }
  const inputs = [
    options.perfData,
    options.perfScript,
    options.traces,
    options.unsymbolizedProfile,
    options.llvmSampleProfile,
  ];
  const given = inputs.filter((input) => list(input).length > 0).length;
  if (given !== 1) {
    throw invalid(
      given === 0 ? 'no input was given' : 'more than one kind of input was given',
      'give exactly one of perfData, perfScript, traces, unsymbolizedProfile and llvmSampleProfile',
    );
  }
  const {
    signal: _signal,
    onProgress: _onProgress,
    debuginfod: _debuginfod,
    binary: _,
    binaryDir: __,
    ...same
  } = withBindingSelection(options);
  return defined({
    ...same,
    binaries,
    binaryDirs: options.binaryDir === undefined ? undefined : list(options.binaryDir),
    perfData: options.perfData === undefined ? undefined : list(options.perfData),
    perfScript: options.perfScript === undefined ? undefined : list(options.perfScript),
    traces: options.traces === undefined ? undefined : list(options.traces),
    samplePeriod: u64('samplePeriod', options.samplePeriod),
    ...toBindingContexts(options),
    profileSummaryColdCount: u64('profileSummaryColdCount', options.profileSummaryColdCount),
  });
}

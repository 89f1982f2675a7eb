import type { BindingGenerateOptions } from '../../native/binding/index.cjs';
import type { Progress } from '../progress.js';
import type { ProfileFormat } from '../sample-profile/types.js';
import { checkLocal, checkOptions, checkStdin, checkTraces, defined, invalid, list, u64 } from './check.js';
import { COLD_COUNT, CUTOFF_COLD, FORMATS, JOBS, MILLION, USE_MD5 } from './common.js';
import { CONTEXT_OPTIONS, type ContextOptions, toBindingContexts } from './contexts.js';
import { choice, flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';
import { type SampleSelection, SELECTION_OPTIONS, withBindingSelection } from './selection.js';

/** The format of the result: a profile in some encoding, or one of two texts for BOLT. */
export type GenerateFormat = ProfileFormat | 'preaggregated' | 'fdata';

/**
 * The inputs of a profile, and how the profile is made. Needed are a binary (`binary`, `binaryDir` or
 * `allBinaries`) and exactly one of `perfData`, `perfScript`, `traces`, `unsymbolizedProfile` and
 * `llvmSampleProfile`. All other options have llvm-profgen's defaults. The names of the options are those of the
 * flags.
 */
export interface GenerateOptions extends SampleSelection, ContextOptions {
  /**
   * The profiled executables, shared objects or vmlinux: ELF files with symbols and with DWARF, in the file itself
   * or in a debug file. If there are several, each gets a profile of its own; the recordings are read only once.
   */
  binary?: string | readonly string[] | undefined;
  /**
   * Folders in which to look for more binaries: the files that the recordings map. A file is found by its build
   * id, or by its name if the recording has no build id for it.
   */
  binaryDir?: string | readonly string[] | undefined;
  /** Profile every file of this machine that the recordings map and that has debug information; default false. */
  allBinaries?: boolean | undefined;
  /** Add up the profiles of all binaries into one, as `llvm-profdata merge --sample` does; default false. */
  mergeBinaries?: boolean | undefined;
  /** One or more recordings of `perf record -b`: files, directories or pipe streams; `-` is standard input. */
  perfData?: string | readonly string[] | undefined;
  /**
   * One or more texts in the form that `perf script -F ip,brstack --show-mmap-events` prints: files or pipes; `-`
   * is standard input. A line that is a number tells how often the sample after it was taken. A text holds less
   * than the recording: its samples have no process, so all mappings of the binary are in one address space, where
   * newer mappings replace older ones.
   */
  perfScript?: string | readonly string[] | undefined;
  /**
   * Trace shards of `collectTraces`, or shards that an SQL engine has added up: files, or folders with such files.
   * A folder may be partitioned in the manner of Hive. The profile is the same as from the recordings themselves.
   */
  traces?: string | readonly string[] | undefined;
  /** A text of range and branch counters, as `skipSymbolization` writes it. */
  unsymbolizedProfile?: string | undefined;
  /** A finished sample profile, to trim or to write in another encoding. */
  llvmSampleProfile?: string | undefined;

  /**
   * File to write. The file is replaced as a whole once the profile is complete. With several binaries, or with
   * binaries that are looked for, this is the folder that gets a file for each binary, unless the profiles are
   * merged. Absent: the profile is in `bytes` of the result. The job fails with `INVALID_OPTIONS` if this is a
   * file that the job reads, by whatever links, or any ELF file or recording.
   */
  output?: string | undefined;
  /**
   * True if the caller prints `bytes`. The job then fails with `INVALID_OPTIONS` if standard output was redirected
   * into a file that the job reads; default false.
   */
  toStdout?: boolean | undefined;
  /**
   * Encoding; default `extbinary`. Two formats are not profiles but texts for BOLT. `fdata`: branches by function
   * and offset, as perf2bolt writes them (`llvm-bolt -data`). `preaggregated`: traces by address (`perf2bolt -pa`,
   * `llvm-bolt -pa`).
   */
  format?: GenerateFormat | undefined;
  /**
   * `llvm-profgen`: the result equals that of llvm-profgen 22, even where llvm-profgen is known to lose samples.
   */
  compat?: 'llvm-profgen' | undefined;

  /** True if the binary is a vmlinux. Absent: the binary itself tells. */
  kernel?: boolean | undefined;
  /**
   * ELF file with the binary's DWARF, and with its symbols if the binary is stripped. Absent: the DWARF is taken
   * from the binary, from its build-id file or from the file of its debuglink.
   */
  debugBinary?: string | undefined;
  /** DWARF package; default `<binary>.dwp`. */
  dwp?: string | undefined;
  /**
   * Fetch debug files that are not on this machine. They are fetched by build id from the servers in the
   * environment variable `DEBUGINFOD_URLS`, into the cache that elfutils' tools use. Default: true if servers are
   * named and `compat` is not set.
   */
  debuginfod?: boolean | undefined;
  /**
   * Use samples of a mapping with the right name although its build id differs from the binary's; default false.
   */
  ignoreBuildId?: boolean | undefined;

  /**
   * Use only the branch stacks of samples that have call stacks, too; default false: such samples give a profile
   * with calling contexts. Samples with an unsure call stack are left out.
   */
  ignoreStackSamples?: boolean | undefined;
  /**
   * The part of the samples that is counted. `branches`: their branch stacks. `addresses`: the sampled addresses,
   * from which the number of executions of the code is inferred. Absent: branch stacks, or addresses if no sample
   * has a branch stack.
   */
  samples?: 'branches' | 'addresses' | undefined;
  /**
   * Count the sampled addresses instead of branch stacks; default false. The profile then tells where an event
   * happens, for example a misprediction.
   */
  leadingIpOnly?: boolean | undefined;
  /**
   * Number of events for each sample (`perf record -c`). The counts are then counts of events, which can be
   * compared between profiles from branch stacks and profiles from addresses. Absent: the counts are counts of
   * samples.
   */
  samplePeriod?: number | bigint | undefined;

  /** Write zero counts for every function of the binary, not only for sampled functions; default false. */
  fillZeroForAllFuncs?: boolean | undefined;
  /** Compute the total of each function as the sum of its body counts; default false. */
  updateTotalSamples?: boolean | undefined;
  /** Drop top-level functions colder than the cold threshold; default false. */
  trimColdProfile?: boolean | undefined;
  /** Write names as 64-bit MD5 prefixes (`extbinary` only); default false. */
  useMd5?: boolean | undefined;
  /**
   * List the binary's functions in the profile, so that clang can tell cold functions from new ones (`extbinary`
   * only); default false.
   */
  populateProfileSymbolList?: boolean | undefined;
  /** Write counters as text instead of a profile; default false. */
  skipSymbolization?: boolean | undefined;
  /** Write offsets from the preferred base address into the counters; default true. */
  useOffset?: boolean | undefined;
  /** Count these offsets from the first loadable segment instead; default false. */
  useFirstLoadableSegmentAsBase?: boolean | undefined;
  /** Use DWARF although the binary has pseudo probes; default false. */
  useDwarfCorrelation?: boolean | undefined;
  /**
   * With pseudo probes: take functions that are missing in the debug information from the symbol table;
   * default true.
   */
  loadFunctionFromSymbol?: boolean | undefined;

  /** Density below which a warning recommends more samples; default 50. */
  profileDensityThreshold?: number | undefined;
  /** Share of samples by which the density is computed, in millionths (0 to 1000000); default 990000. */
  profileDensityCutoffHot?: number | undefined;
  /** Cut-off in millionths. The count at the cut-off separates cold from warm functions; default 999999. */
  profileSummaryCutoffCold?: number | undefined;
  /** The cold threshold as a count; overrides the cut-off. */
  profileSummaryColdCount?: number | bigint | undefined;

  /** Fail with `LOSS_EXCEEDED` when more than this percentage (0 to 100) of the branch entries is lost. */
  maxLoss?: number | undefined;
  /** Report each mapping of the recording as a note with the code `mmap-event`; default false. */
  showMmapEvents?: boolean | undefined;
  /** Report each doubtful range, address and function, not only their number; default false. */
  showDetailedWarning?: boolean | undefined;
  /**
   * Fail with `INPUT_DAMAGED` if an input is damaged, or if debug information is damaged that samples need;
   * default false: damage is reported as a diagnostic.
   */
  strict?: boolean | undefined;
  /** Number of worker threads; default 0: one for each processor. */
  jobs?: number | undefined;

  /** Aborts the job: the promise is rejected with the signal's reason, and no file is left behind. */
  signal?: AbortSignal | undefined;
  /**
   * Called about ten times a second, and at the start of each phase. An exception from this function ends the job.
   */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** How a flag that takes a pattern names several files. */
const QUOTED = 'put the pattern in quotes';

/** The definition of each option for generating a profile. */
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
    'Recording of `perf record -b`, or a quoted glob; repeatable; - is stdin.',
    {
      aliases: ['pd', 'profile'],
      value: 'FILE',
      several: QUOTED,
    },
  ),
  perfScript: flag(
    'Input',
    'list',
    'perfscript',
    'Text of `perf script -F ip,brstack --show-mmap-events`, with or without counts; - is stdin.',
    { aliases: ['ps'], value: 'FILE', several: QUOTED },
  ),
  traces: flag('Input', 'list', 'traces', 'Traces of `collect`, or their sum: file, quoted glob or folder.', {
    value: 'FILE',
    several: `${QUOTED}, name the folder`,
  }),
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
    'A finished profile, to trim or to write in another encoding.',
    {
      value: 'FILE',
    },
  ),
  kernel: flag('Input', 'boolean', 'kernel', 'The binary is a vmlinux.', {
    default: 'found out from the file',
  }),
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
    'Fetch missing debug files from the servers in DEBUGINFOD_URLS; --no-debuginfod does not.',
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
    'Count the branch stacks of samples (branches) or their addresses (addresses).',
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
    'How many events one sample stands for; counts become numbers of events.',
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
    'Write counts of zero for all functions of the binary, not only for those with samples.',
  ),
  updateTotalSamples: flag(
    'Profile',
    'boolean',
    'update-total-samples',
    'Make the total of each function the sum of the counts in its body.',
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

/** Converts the options to the form that the addon takes. Throws `INVALID_OPTIONS`. */
export function toBindingOptions(options: GenerateOptions): BindingGenerateOptions {
  checkOptions(options, GENERATE_OPTIONS);
  const binaries = list(options.binary);
  const looksForBinaries = list(options.binaryDir).length > 0 || options.allBinaries === true;
  if ((binaries.length === 0 && !looksForBinaries) || binaries.includes('')) {
    throw invalid('no binary was given', 'set `binary`');
  }
  const given = [
    options.perfData,
    options.perfScript,
    options.traces,
    options.unsymbolizedProfile,
    options.llvmSampleProfile,
  ].filter((input) => list(input).length > 0);
  if (given.length !== 1) {
    throw invalid(
      given.length === 0 ? 'no input was given' : 'more than one kind of input was given',
      'give exactly one of perfData, perfScript, traces, unsymbolizedProfile and llvmSampleProfile',
    );
  }
  const inputs = given.flatMap(list);
  checkTraces(list(options.traces));
  checkLocal([...binaries, ...inputs, options.output]);
  checkStdin([...list(options.perfData), ...list(options.perfScript)]);
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

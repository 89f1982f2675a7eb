import type { BindingCollectOptions } from '../../native/binding/index.cjs';
import type { Progress } from '../progress.js';
import { checkLocal, checkOptions, checkStdin, defined, invalid, list } from './check.js';
import { JOBS } from './common.js';
import { choice, flag, NO_FLAG, type OptionTable } from './flag.js';
import { GENERATE_OPTIONS } from './generate.js';
import { type SampleSelection, SELECTION_OPTIONS, withBindingSelection } from './selection.js';

/**
 * The recordings to collect traces from, and the place of the result. The names of the options are those of the
 * flags.
 */
export interface CollectOptions extends SampleSelection {
  /** One or more recordings of `perf record`: files, directories or pipe streams; `-` is standard input. */
  perfData: string | readonly string[];
  /**
   * A file or a folder. A file has a name that ends in `.parquet`; it is replaced as a whole once the new content
   * is complete. A folder is created if it does not exist; each new file in it gets a name that no other file has.
   */
  output: string;
  /**
   * Limit of one file in the folder: a time, a whole number with the unit `s`, `m`, `h` or `d`, or a size with the
   * unit `KB`, `MB`, `GB` (powers of 1000), `KiB`, `MiB` or `GiB`, for example `10m` or `64MiB`. At the limit the file is finished and the next one is begun. Absent: all rows go into one file. A
   * file of a stream is finished in time even if no records arrive. The size is checked after every 16 MiB of the
   * recording.
   */
  rotate?: string | undefined;
  /** Write the name of the recording host into the file; default false. */
  host?: boolean | undefined;

  /**
   * The part of the samples that is collected. `branches`: their branch stacks, or the branches that Arm SPE
   * sampled. `addresses`: the sampled addresses. Absent: branches, or the addresses of a recording in which no
   * sample has branches.
   */
  samples?: 'branches' | 'addresses' | undefined;
  /**
   * Leave out the call chains of samples with branch stacks; default false: such samples have rows that give
   * profiles with calling contexts. Files are many times smaller without these rows.
   */
  ignoreStackSamples?: boolean | undefined;
  /** Fail with `INPUT_DAMAGED` if an input is damaged; default false: damage is reported as a diagnostic. */
  strict?: boolean | undefined;
  /** Number of worker threads; default 0: one for each processor. */
  jobs?: number | undefined;

  /**
   * Aborts the job: the promise is rejected with the signal's reason. Files that were finished before the abort
   * stay. A stream of records is ended instead, and the promise is fulfilled with what was read.
   */
  signal?: AbortSignal | undefined;
  /**
   * Called about ten times a second, and at the start of each phase. An exception from this function ends the job.
   */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The definition of each option of a collection. The options that select samples are the same as for generating a
 * profile.
 */
export const COLLECT_OPTIONS = {
  perfData: GENERATE_OPTIONS.perfData,
  output: flag(
    'Output',
    'string',
    'output',
    'A file whose name ends in .parquet, or a folder that gets such files.',
    { aliases: ['o'], value: 'FILE' },
  ),
  rotate: flag(
    'Output',
    'string',
    'rotate',
    'Begin a new file after a time (number with s, m, h or d) or at a size (KB, MB, GB, KiB, MiB or GiB): 10m, 64MiB.',
    { value: 'WHEN' },
  ),
  host: flag('Output', 'boolean', 'host', 'Write the name of the host into the file.'),
  ...SELECTION_OPTIONS,
  samples: choice(
    'Samples',
    ['branches', 'addresses'],
    'samples',
    'Collect the branches of samples (branches) or their addresses (addresses).',
    { default: 'branches, or addresses if there are none' },
  ),
  ignoreStackSamples: flag(
    'Samples',
    'boolean',
    'ignore-stack-samples',
    'Collect branch stacks alone, although samples have call stacks, too. Files are many times smaller.',
  ),
  strict: GENERATE_OPTIONS.strict,
  jobs: JOBS,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<CollectOptions>;

/** Converts the options to the form that the addon takes. Throws `INVALID_OPTIONS`. */
export function toBindingCollectOptions(options: CollectOptions): BindingCollectOptions {
  checkOptions(options, COLLECT_OPTIONS);
  const perfData = list(options.perfData);
  if (perfData.length === 0 || perfData.includes('')) {
    throw invalid('no recording was given', 'name it in `perfData`');
  }
  if (options.output === undefined || options.output === '') {
    throw invalid('no output was given', 'name a .parquet file or a folder in `output`');
  }
  checkLocal([...perfData, options.output]);
  checkStdin(perfData);
  const { signal: _signal, onProgress: _onProgress, ...same } = withBindingSelection(options);
  return defined({ ...same, perfData });
}

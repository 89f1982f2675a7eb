import type { BindingCollectOptions } from '../../native/binding/index.cjs';
import type { Progress } from '../progress.js';
import { checkOptions, defined, invalid, list } from './check.js';
import { JOBS } from './common.js';
import { flag, NO_FLAG, type OptionTable } from './flag.js';
import { GENERATE_OPTIONS } from './generate.js';
import { type SampleSelection, SELECTION_OPTIONS, withBindingSelection } from './selection.js';

/** What to collect traces from, and where to. Names are those of the flags. */
export interface CollectOptions extends SampleSelection {
  /** One or more recordings of `perf record -b`: files, directories or pipe streams; `-` is standard input. */
  perfData: string | readonly string[];
  /**
   * A file whose name ends in `.parquet`, which is replaced as a whole once it is complete; or a folder, which is made if need be and
   * gets files with names that no other file has.
   */
  output: string;
  /**
   * When a file in the folder is finished and the next one is begun: after a time, such as `30s`, `10m` or `1h`, or with a size, such
   * as `64MiB` or `1GB`; absent: all goes into one file. The time is looked at when records come.
   */
  rotate?: string | undefined;
  /** Write the name of the host that recorded into the file; default false. */
  host?: boolean | undefined;

  /** Damage in an input is an error (`INPUT_DAMAGED`) instead of a diagnostic; default false. */
  strict?: boolean | undefined;
  /** Worker threads; default 0: one for each processor. */
  jobs?: number | undefined;

  /** Aborts the job: the promise is rejected with the signal's reason. Files that were finished before stay. */
  signal?: AbortSignal | undefined;
  /** Called about ten times a second, and at the start of each phase. What it throws ends the job. */
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** The definition of each option of a collection; which samples count is chosen as when a profile is generated. */
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
    'Finish a file, and begin the next one, after a time or with a size: 10m, 1h, 64MiB.',
    { value: 'WHEN' },
  ),
  host: flag('Output', 'boolean', 'host', 'Write the name of the host into the file.'),
  ...SELECTION_OPTIONS,
  strict: GENERATE_OPTIONS.strict,
  jobs: JOBS,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<CollectOptions>;

/** Options as the addon takes them. Throws `INVALID_OPTIONS`. */
export function toBindingCollectOptions(options: CollectOptions): BindingCollectOptions {
  checkOptions(options, COLLECT_OPTIONS);
  const perfData = list(options.perfData);
  if (perfData.length === 0 || perfData.includes('')) {
    throw invalid('no recording was given', 'name it in `perfData`');
  }
  if (options.output === undefined || options.output === '') {
    throw invalid('no output was given', 'name a .parquet file or a folder in `output`');
  }
  const { signal: _signal, onProgress: _onProgress, ...same } = withBindingSelection(options);
  return defined({ ...same, perfData });
}

import { flag, NO_FLAG, type OptionTable, unflagged } from './flag.js';
import { GENERATE_OPTIONS, type GenerateOptions } from './generate.js';
import { SELECTION_OPTIONS } from './selection.js';

/** The subject of a report: recordings of binaries, or finished profiles. */
export interface ReportOptions
  extends Pick<
    GenerateOptions,
    | 'binary'
    | 'binaryDir'
    | 'allBinaries'
    | 'perfData'
    | 'perfScript'
    | 'traces'
    | 'debugBinary'
    | 'dwp'
    | 'debuginfod'
    | 'ignoreBuildId'
    | 'event'
    | 'pid'
    | 'tid'
    | 'cpu'
    | 'time'
    | 'samples'
    | 'profileDensityThreshold'
    | 'jobs'
    | 'signal'
    | 'onProgress'
  > {
  /**
   * Finished profiles, in any encoding, instead of recordings. With one profile, `binary` may name the program of
   * the profile: its debug information tells where functions are declared.
   */
  profile?: string | readonly string[] | undefined;
  /**
   * An older profile of the same program, to compare with. Only allowed with one binary or one finished profile.
   */
  base?: string | undefined;
  /**
   * Folder with the source. The report then has the source lines of functions with counts. A file is found below
   * this folder by the end of the path that is in the debug information. Absent: no source is read.
   */
  sourceDir?: string | undefined;
}

/** The definition of each option of a report. */
export const REPORT_OPTIONS = {
  profile: unflagged('list'),
  binary: GENERATE_OPTIONS.binary,
  binaryDir: GENERATE_OPTIONS.binaryDir,
  allBinaries: GENERATE_OPTIONS.allBinaries,
  // The spelling --profile of create_llvm_prof is left out, because --profile means finished profiles in a report.
  perfData: { ...GENERATE_OPTIONS.perfData, aliases: ['pd'] },
  perfScript: GENERATE_OPTIONS.perfScript,
  traces: GENERATE_OPTIONS.traces,
  debugBinary: GENERATE_OPTIONS.debugBinary,
  dwp: GENERATE_OPTIONS.dwp,
  debuginfod: GENERATE_OPTIONS.debuginfod,
  sourceDir: flag('Input', 'string', 'source-dir', 'Folder with the source, whose lines are shown.', {
    value: 'DIR',
  }),
  base: flag('Input', 'string', 'base', 'An older profile to compare with.', { value: 'FILE' }),
  ignoreBuildId: GENERATE_OPTIONS.ignoreBuildId,
  ...SELECTION_OPTIONS,
  samples: GENERATE_OPTIONS.samples,
  profileDensityThreshold: GENERATE_OPTIONS.profileDensityThreshold,
  jobs: GENERATE_OPTIONS.jobs,
  signal: NO_FLAG,
  onProgress: NO_FLAG,
} satisfies OptionTable<ReportOptions>;

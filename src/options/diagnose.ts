import { NO_FLAG, type OptionTable, unflagged } from './flag.js';
import { GENERATE_OPTIONS } from './generate.js';

/** What to look at before a profile is made. */
export interface DiagnoseOptions {
  /** The executable, shared object or vmlinux. */
  binary: string;
  /** Recordings of it: files or directories; standard input cannot be read twice, so not that. */
  perfData?: string | readonly string[] | undefined;
  /** ELF file that has the binary's DWARF, and its symbols if it is stripped; absent: the binary, its build-id file or its debuglink. */
  debugBinary?: string | undefined;
  /** DWARF package; default `<binary>.dwp`. */
  dwp?: string | undefined;
  /** Fetch debug files from the servers in `DEBUGINFOD_URLS`; default true if that is set. */
  debuginfod?: boolean | undefined;
  /** Use samples of a mapping of the right name whose build id differs from the binary's; default false. */
  ignoreBuildId?: boolean | undefined;
  /** Density below which more samples are recommended; default 50. */
  profileDensityThreshold?: number | undefined;
  /** Aborts the job: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The definition of each option of a diagnosis; they mean what they mean when a profile is generated. */
export const DIAGNOSE_OPTIONS = {
  binary: unflagged('string'),
  perfData: GENERATE_OPTIONS.perfData,
  debugBinary: GENERATE_OPTIONS.debugBinary,
  dwp: GENERATE_OPTIONS.dwp,
  debuginfod: GENERATE_OPTIONS.debuginfod,
  ignoreBuildId: GENERATE_OPTIONS.ignoreBuildId,
  profileDensityThreshold: GENERATE_OPTIONS.profileDensityThreshold,
  signal: NO_FLAG,
} satisfies OptionTable<DiagnoseOptions>;

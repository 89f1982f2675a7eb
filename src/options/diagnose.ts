import { NO_FLAG, type OptionTable, unflagged } from './flag.js';
import { GENERATE_OPTIONS } from './generate.js';

/** The binary and the recordings to examine before a profile is made. */
export interface DiagnoseOptions {
  /** The executable, shared object or vmlinux. */
  binary: string;
  /**
   * Recordings of the binary: files or directories. Standard input is refused, because a recording is read twice.
   */
  perfData?: string | readonly string[] | undefined;
  /**
   * ELF file with the binary's DWARF, and with its symbols if the binary is stripped. Absent: the DWARF is taken
   * from the binary, from its build-id file or from the file of its debuglink.
   */
  debugBinary?: string | undefined;
  /** DWARF package; default `<binary>.dwp`. */
  dwp?: string | undefined;
  /** Fetch debug files from the servers in `DEBUGINFOD_URLS`; default: true if that variable is set. */
  debuginfod?: boolean | undefined;
  /**
   * Use samples of a mapping with the right name although its build id differs from the binary's; default false.
   */
  ignoreBuildId?: boolean | undefined;
  /** Density below which more samples are recommended, in samples for each instruction line; default 50. */
  profileDensityThreshold?: number | undefined;
  /** Aborts the job: the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** The definition of each option of a diagnosis. The options mean the same as for generating a profile. */
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

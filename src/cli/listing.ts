import type { BindingListingOptions } from '../../native/binding/index.cjs';
import { defined } from '../options/check.js';
import { GENERATE_OPTIONS } from '../options/generate.js';
import { LISTING_ONLY, LISTING_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { printDiagnostics } from './terminal.js';

/** Returns the options of the listing that is asked for, or `undefined` if a profile is asked for. */
export function toListing(parsed: ParsedArgs): BindingListingOptions | undefined {
  const { functions, ...shown } = valuesOf(LISTING_OWN, parsed);
  if (valuesOf(LISTING_ONLY, parsed).showDisassemblyOnly !== true) {
    if (shown.sourceLocations === true)
      throw new UsageError(
        '--show-source-locations is only for listings of code',
        'add --show-disassembly-only, or leave it out',
      );
    return undefined;
  }
  const {
    binary: [binary, ...others] = [],
    debugBinary,
    dwp,
    compat,
    useDwarfCorrelation,
    loadFunctionFromSymbol,
  } = valuesOf(GENERATE_OPTIONS, parsed);
  if (binary === undefined)
    throw new UsageError('no binary was given', 'name the program with --binary FILE');
  if (others.length > 0) throw new UsageError('one binary is listed at a time', 'run once for each binary');
  return defined({
    binary,
    debugBinary,
    dwp,
    compat,
    useDwarfCorrelation,
    loadFunctionFromSymbol,
    ...shown,
    functions: functions?.flatMap((names) => names.split(',')),
  });
}

/** Prints the code of a binary. Resolves to the exit status. */
export function runListing(options: BindingListingOptions): Promise<number> {
  return runCommandJob({
    json: false,
    quiet: true,
    run: async (control) => (await import('../native.js')).runListing(options, control),
    report: async (diagnostics) => {
      printDiagnostics(diagnostics, false);
      return undefined;
    },
  });
}

import type { BindingListingOptions } from '../../native/binding/index.cjs';
import { defined } from '../options/check.js';
import { GENERATE_OPTIONS } from '../options/generate.js';
import { LISTING_ONLY, LISTING_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { printDiagnostic, printDiagnostics } from './terminal.js';

/** The inputs of a profile that a listing does not read. */
const SAMPLES = [
  'binaryDir',
  'perfData',
  'perfScript',
  'traces',
  'unsymbolizedProfile',
  'llvmSampleProfile',
] as const;

/** A listing of code. */
interface Listing {
  options: BindingListingOptions;
  /** Flags with inputs that the listing does not read. */
  unread: string[];
}

/** Returns the listing that is asked for, or `undefined` if a profile is asked for. */
export function toListing(parsed: ParsedArgs): Listing | undefined {
  const { functions, ...shown } = valuesOf(LISTING_OWN, parsed);
  if (valuesOf(LISTING_ONLY, parsed).showDisassemblyOnly !== true) {
    if (shown.sourceLocations === true)
      throw new UsageError(
        '--show-source-locations is only for listings of code',
        'add --show-disassembly-only, or leave it out',
      );
    return undefined;
  }
  const given = valuesOf(GENERATE_OPTIONS, parsed);
  const {
    binary: [binary, ...others] = [],
    debugBinary,
    dwp,
    compat,
    useDwarfCorrelation,
    loadFunctionFromSymbol,
  } = given;
  if (binary === undefined)
    throw new UsageError('no binary was given', 'name the program with --binary FILE');
  if (others.length > 0) throw new UsageError('one binary is listed at a time', 'run once for each binary');
  // llvm-profgen does not say that it leaves samples unread.
  const samples = compat === undefined ? SAMPLES.filter((name) => given[name] !== undefined) : [];
  const options = defined({
    binary,
    debugBinary,
    dwp,
    compat,
    useDwarfCorrelation,
    loadFunctionFromSymbol,
    ...shown,
    functions: functions?.flatMap((names) => names.split(',')),
  });
  return { options, unread: samples.map((name) => `--${GENERATE_OPTIONS[name].name}`) };
}

/** Prints the code of a binary. Resolves to the exit status. */
export function runListing({ options, unread }: Listing): Promise<number> {
  return runCommandJob({
    json: false,
    quiet: true,
    run: async (control) => (await import('../native.js')).runListing(options, control),
    report: async (diagnostics) => {
      if (unread.length > 0) {
        const are = unread.length === 1 ? 'is' : 'are';
        printDiagnostic('warning', `${unread.join(', ')} ${are} not read: a listing needs the binary only`);
      }
      printDiagnostics(diagnostics, false);
      return undefined;
    },
  });
}

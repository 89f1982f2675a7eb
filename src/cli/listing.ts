import type { BindingListingOptions } from '../../native/binding/index.cjs';
import { runCommandJob } from './job.js';
import { type FlagValue, UsageError } from './parse-args.js';
import { printDiagnostics } from './terminal.js';

/** Flags of listings, which profiles have no use for. */
export const LISTING_FLAGS = [
  'show-disassembly-only',
  'show-source-locations',
  'show-canonical-fname',
  'show-pseudo-probe',
  'disassemble-functions',
  'x86-asm-syntax',
];

/** What to list, or undefined when a profile is asked for. */
export function toListing(values: ReadonlyMap<string, FlagValue>): BindingListingOptions | undefined {
  if (values.get('show-disassembly-only') !== true) {
    if (values.get('show-source-locations') === true)
      throw new UsageError('--show-source-locations should work together with --show-disassembly-only!');
    return undefined;
  }
  const [binary, ...others] = (values.get('binary') as string[] | undefined) ?? [];
  if (binary === undefined)
    throw new UsageError('no binary was given', 'name the program with --binary FILE');
  if (others.length > 0) throw new UsageError('one binary is listed at a time', 'run once for each binary');
  const functions = values.get('disassemble-functions') as string[] | undefined;
  const all = {
    binary,
    debugBinary: values.get('debug-binary'),
    dwp: values.get('dwp'),
    compat: values.get('compat'),
    useDwarfCorrelation: values.get('use-dwarf-correlation'),
    loadFunctionFromSymbol: values.get('load-function-from-symbol'),
    sourceLocations: values.get('show-source-locations'),
    canonicalNames: values.get('show-canonical-fname'),
    pseudoProbes: values.get('show-pseudo-probe'),
    functions: functions?.flatMap((names) => names.split(',')),
    syntax: values.get('x86-asm-syntax'),
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as unknown as BindingListingOptions;
}

/** Prints the code of a binary; resolves to the exit status. */
export function runListing(options: BindingListingOptions): Promise<number> {
  return runCommandJob({
    json: false,
    quiet: true,
    run: async (control) => (await import('../native.js')).runListing(options, control),
    report: async (diagnostics) => {
      printDiagnostics(diagnostics as Parameters<typeof printDiagnostics>[0], false);
      return undefined;
    },
  });
}

import { basename } from 'node:path';
import type { GenerateOptions } from '../options.js';
import type { GenerateResult } from '../result.js';
import { outputOptions } from './encoding.js';
import { GENERATE_FLAGS } from './flags.js';
import { expandInputs } from './input-files.js';
import { runCommandJob } from './job.js';
import { LISTING_FLAGS, runListing, toListing } from './listing.js';
import { type FlagValue, parseFlags, toLibraryOptions, UsageError } from './parse-args.js';
import { EXIT, print, printDiagnostics, printError, useColours } from './terminal.js';

/** Flags that steer the command line and are no options of the library. */
interface CommandFlags {
  json: boolean;
  quiet: boolean;
  /** Print what llvm-profgen does not, notes and the summary, on no terminal, too. */
  verbose: boolean;
  timings: boolean;
  showDensity: boolean;
  /** Path of the result, `-` for stdout. */
  target: string;
}

const OWN_FLAGS = [
  'json',
  'quiet',
  'verbose',
  'color',
  'timings',
  'show-density',
  'output',
  'perf-events',
  ...LISTING_FLAGS,
];

/** Runs the default command; resolves to the exit status. */
export async function runGenerateCommand(args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    process.stderr.write((await import('./help.js')).generateHelp());
    return EXIT.usage;
  }
  let command: { options: GenerateOptions; flags: CommandFlags };
  try {
    const { values, positionals } = parseFlags(args, GENERATE_FLAGS);
    if (values.get('help') === true) {
      const { generateHelp, llvmProfgenHelp } = await import('./help.js');
      print(values.has('compat') ? llvmProfgenHelp() : generateHelp());
      return EXIT.ok;
    }
    if (values.get('version') === true) {
      print(`autofdo-gen ${(await import('./version.js')).version()}\n`);
      return EXIT.ok;
    }
    if (values.has('color')) useColours(values.get('color') === true);
    const listing = toListing(values);
    if (listing !== undefined) return runListing(listing);
    command = toCommand(values, positionals);
  } catch (error) {
    printError(error);
    return asLlvmProfgen(args) ? EXIT.failed : EXIT.usage;
  }
  const { options, flags } = command;
  return runCommandJob({
    json: flags.json,
    quiet: flags.quiet,
    run: async (control) => {
      const { generateProfile } = await import('../generate-profile.js');
      return generateProfile({ ...options, ...control });
    },
    report: (result) => report(result, options, flags),
  });
}

/** llvm-profgen's exit status is 1 for wrong usage, too; the line need not be right for this to be known. */
function asLlvmProfgen(args: readonly string[]): boolean {
  return args.some((arg) => /^--?compat=llvm-profgen$/.test(arg));
}

function toCommand(values: Map<string, FlagValue>, positionals: readonly string[]) {
  const [stray] = positionals;
  if (stray !== undefined) {
    throw new UsageError(
      `unexpected argument '${stray}'`,
      'name the program with --binary and the recording with --perfdata',
    );
  }
  const options = toLibraryOptions(values, GENERATE_FLAGS, OWN_FLAGS);
  const binaries = values.get('binary') as string[] | undefined;
  const looksForBinaries = values.has('binary-dir') || values.get('all-binaries') === true;
  if (binaries === undefined && !looksForBinaries)
    throw new UsageError('no binary was given', 'name the profiled program with --binary FILE');
  const inputs = ['perfdata', 'perfscript', 'unsymbolized-profile', 'llvm-sample-profile'].filter((name) =>
    values.has(name),
  );
  if (inputs.length === 0)
    throw new UsageError('no input was given', 'name the recording with --perfdata FILE');
  if (inputs.length > 1) {
    throw new UsageError(`--${inputs.join(' and --')} cannot be used together`, 'give one kind of input');
  }
  for (const name of ['perfData', 'perfScript']) {
    if (options[name] !== undefined) options[name] = expandInputs(options[name] as string[]);
  }
  const events = values.get('perf-events') as string[] | undefined;
  if (events !== undefined) {
    const more = events.flatMap((names) => names.split(','));
    options['event'] = [...((options['event'] as string[] | undefined) ?? []), ...more];
  }
  const several = looksForBinaries || (binaries?.length ?? 0) > 1;
  const target = (values.get('output') as string | undefined) ?? defaultOutput(binaries, several, values);
  if (target === '-' && several && values.get('merge-binaries') !== true) {
    throw new UsageError(
      'several profiles cannot go to stdout',
      'name a folder with -o DIR, or use --merge-binaries',
    );
  }
  Object.assign(options, outputOptions(target));
  const quiet = values.get('quiet') === true;
  const flags: CommandFlags = {
    json: values.get('json') === true,
    quiet,
    verbose: values.get('verbose') === true,
    timings: values.get('timings') === true,
    showDensity: values.get('show-density') === true,
    target,
  };
  if (flags.json && target === '-') {
    throw new UsageError('--json and -o - both want stdout', 'name an output file with -o FILE');
  }
  return { options: options as unknown as GenerateOptions, flags };
}

/** Beside each other in the current folder, whether there is one result or several. */
function defaultOutput(
  binaries: readonly string[] | undefined,
  several: boolean,
  values: Map<string, FlagValue>,
): string {
  if (values.get('merge-binaries') === true) return 'merged.afdo';
  const [binary] = binaries ?? [];
  if (several || binary === undefined) return '.';
  return `${basename(binary)}.${values.get('skip-symbolization') === true ? 'counters' : 'afdo'}`;
}

async function report(
  result: GenerateResult,
  options: GenerateOptions,
  flags: CommandFlags,
): Promise<undefined> {
  if (result.bytes !== undefined) print(result.bytes);
  const talk = !flags.quiet && (flags.verbose || process.stderr.isTTY === true);
  // llvm-profgen's stdout has what was asked to be shown; here that may be taken by the result.
  const shown = flags.json || flags.target === '-' ? (text: string) => process.stderr.write(text) : print;
  for (const { code, message } of result.diagnostics) if (code === 'mmap-event') shown(`${message}\n`);
  printDiagnostics(
    result.diagnostics.filter(({ code }) => code !== 'mmap-event'),
    talk,
  );
  if (flags.showDensity || talk || flags.timings) {
    const { densityText, summaryText, timingsText } = await import('../report/summary.js');
    if (flags.showDensity) {
      shown(densityText(result.statistics.density, options.profileDensityCutoffHot));
    }
    if (talk) process.stderr.write(summaryText(result, flags.target === '-' ? 'stdout' : flags.target));
    if (flags.timings) process.stderr.write(timingsText(result.timings));
  }
  if (flags.json) print((await import('../report/json.js')).resultJson(result));
}

import { basename } from 'node:path';
import type { ValuesOf } from '../options/flag.js';
import { GENERATE_OPTIONS, type GenerateOptions } from '../options/generate.js';
import { nameFlags } from '../options/wording.js';
import type { GenerateResult } from '../result.js';
import { failedToParse } from './command.js';
import { CREATE_LLVM_PROF_OWN, createLlvmProfDefaults, withoutEffect } from './create-llvm-prof.js';
import { outputOptions } from './encoding.js';
import { COMMANDS, GENERATE_OWN } from './flags.js';
import { expandInputs } from './input-files.js';
import { runCommandJob } from './job.js';
import { runListing, toListing } from './listing.js';
import { otherCommands } from './other-commands.js';
import { type ParsedArgs, parseFlags, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { refuseStrays } from './stray-arguments.js';
import {
  EXIT,
  isWatched,
  print,
  printDiagnostic,
  printDiagnostics,
  printMessage,
  useColours,
} from './terminal.js';

/** Flags that steer the command line and are not options of the library. */
interface CommandFlags {
  json: boolean;
  quiet: boolean;
  /** Print the notes and the summary, which llvm-profgen does not print, even if no terminal is there. */
  verbose: boolean;
  timings: boolean;
  showDensity: boolean;
  /** Path of the result, `-` for stdout. */
  target: string;
}

/** Runs `generate`, the default command. Resolves to the exit status. */
export async function runGenerateCommand(args: readonly string[]): Promise<number> {
  if (args.length === 0) {
    printMessage((await import('./help.js')).commandHelp('generate'));
    return EXIT.usage;
  }
  nameFlags();
  let command: { options: GenerateOptions; flags: CommandFlags };
  let parsed: ParsedArgs | undefined;
  try {
    parsed = parseFlags(args, COMMANDS.generate.flags, (spelling) => otherCommands(spelling, 'generate'));
    const { help, helpAll, version: wantsVersion, color } = valuesOf(GENERATE_OWN, parsed);
    if (help === true || helpAll === true) {
      const { commandHelp, fullHelp, llvmProfgenHelp } = await import('./help.js');
      const ours = helpAll === true ? fullHelp : commandHelp;
      print(parsed.values.has('compat') ? llvmProfgenHelp() : ours('generate'));
      return EXIT.ok;
    }
    if (wantsVersion === true) {
      print(`autofdo-gen ${(await import('../package/version.js')).version()}\n`);
      return EXIT.ok;
    }
    if (color !== undefined) useColours(color);
    refuseStrays(parsed, 'name the program with --binary and the recording with --perfdata');
    const listing = toListing(parsed);
    if (listing !== undefined) return runListing(listing);
    command = toCommand(parsed);
    for (const flag of withoutEffect(parsed)) {
      printDiagnostic('warning', `${flag} of create_llvm_prof has no effect here`);
    }
  } catch (error) {
    const status = await failedToParse(error, parsed);
    return asLlvmProfgen(args) ? EXIT.failed : status;
  }
  const { options, flags } = command;
  const status = await runCommandJob({
    json: flags.json,
    quiet: flags.quiet,
    run: async (control) => {
      const { generateProfile } = await import('../generate-profile.js');
      return generateProfile({ ...options, ...control });
    },
    report: (result) => report(result, options, flags),
  });
  return status === EXIT.usage && asLlvmProfgen(args) ? EXIT.failed : status;
}

/**
 * True if the arguments ask for llvm-profgen's behaviour, whose exit status is 1 for wrong usage, too. The
 * arguments need not be valid for this check.
 */
function asLlvmProfgen(args: readonly string[]): boolean {
  return args.some(
    (arg, at) =>
      /^--?compat=llvm-profgen$/.test(arg) || (/^--?compat$/.test(arg) && args[at + 1] === 'llvm-profgen'),
  );
}

const INPUTS = ['perfData', 'perfScript', 'traces', 'unsymbolizedProfile', 'llvmSampleProfile'] as const;

function toCommand(parsed: ParsedArgs): { options: GenerateOptions; flags: CommandFlags } {
  const given = { ...valuesOf(GENERATE_OPTIONS, parsed), ...createLlvmProfDefaults(parsed) };
  const { useLbr } = valuesOf(CREATE_LLVM_PROF_OWN, parsed);
  const {
    json = false,
    quiet = false,
    verbose = false,
    timings = false,
    showDensity = false,
    perfEvents = [],
  } = valuesOf(GENERATE_OWN, parsed);
  const { binary, perfData, perfScript, traces, mergeBinaries } = given;
  const looksForBinaries = given.binaryDir !== undefined || given.allBinaries === true;
  if (binary === undefined && !looksForBinaries)
    throw new UsageError('no binary was given', 'name the profiled program with --binary FILE');
  const inputs = INPUTS.filter((name) => given[name] !== undefined);
  if (inputs.length === 0)
    throw new UsageError('no input was given', 'name the recording with --perfdata FILE');
  if (inputs.length > 1) {
    const names = inputs.map((name) => `--${GENERATE_OPTIONS[name].name}`);
    throw new UsageError(`${names.join(' and ')} cannot be used together`, 'give one kind of input');
  }
  const events = [...(given.event ?? []), ...perfEvents.flatMap((names) => names.split(','))];
  const several = looksForBinaries || (binary?.length ?? 0) > 1;
  const target = given.output ?? defaultOutput(given, several);
  if (target === '-' && several && mergeBinaries !== true) {
    throw new UsageError(
      'several profiles cannot go to stdout',
      'name a folder with -o DIR, or use --merge-binaries',
    );
  }
  if (json && target === '-') {
    throw new UsageError('--json and -o - both write to stdout', 'name an output file with -o FILE');
  }
  refuseTerminal(perfData, 'recording');
  refuseTerminal(perfScript, 'text');
  const options: GenerateOptions = {
    ...given,
    samples: given.samples ?? (useLbr === undefined ? undefined : useLbr ? 'branches' : 'addresses'),
    output: undefined,
    perfData: perfData && expandInputs(perfData),
    perfScript: perfScript && expandInputs(perfScript),
    traces: traces && expandInputs(traces),
    event: events.length > 0 ? events : undefined,
    ...outputOptions(target),
  };
  return { options, flags: { json, quiet, verbose, timings, showDensity, target } };
}

/** Returns the default place of the result: in the current folder, whether there is one result or several. */
function defaultOutput(
  { binary: [binary] = [], format, mergeBinaries, skipSymbolization }: ValuesOf<typeof GENERATE_OPTIONS>,
  several: boolean,
): string {
  if (mergeBinaries === true) return 'merged.afdo';
  if (several || binary === undefined) return '.';
  if (format === 'preaggregated') return `${basename(binary)}.preagg`;
  if (format === 'fdata') return `${basename(binary)}.fdata`;
  return `${basename(binary)}.${skipSymbolization === true ? 'counters' : 'afdo'}`;
}

async function report(
  result: GenerateResult,
  options: GenerateOptions,
  flags: CommandFlags,
): Promise<undefined> {
  if (result.bytes !== undefined) await print(result.bytes);
  const talk = !flags.quiet && (flags.verbose || isWatched());
  // llvm-profgen prints what was asked to be shown to stdout. Here stdout may be taken by the result.
  const shown = flags.json || flags.target === '-' ? printMessage : print;
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
    if (talk) printMessage(summaryText(result, flags.target === '-' ? 'stdout' : flags.target));
    if (flags.timings) printMessage(timingsText(result.timings));
  }
  if (flags.json) print((await import('../report/json.js')).resultJson(result));
}

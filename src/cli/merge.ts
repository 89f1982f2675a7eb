import type { MergeResult } from '../merge-profiles.js';
import { checkStdin } from '../options/check.js';
import { MERGE_OPTIONS, type MergeOptions } from '../options/merge.js';
import { parseCommand } from './command.js';
import { chosenFormat, outputOptions, requiredTarget } from './encoding.js';
import { MERGE_OWN } from './flags.js';
import { expandProfiles } from './input-files.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { EXIT, print, printDiagnostics, printMessage } from './terminal.js';
import { listedInputs, weightedInputs } from './weighted-inputs.js';

interface MergeCommand {
  options: MergeOptions;
  /** True if the inputs are printed and not merged. */
  listOnly: boolean;
  target: string;
  json: boolean;
  quiet: boolean;
}

/** Runs `merge`. Resolves to the exit status. */
export async function runMergeCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'merge', toCommand);
  if (typeof command === 'number') return command;
  if (command.listOnly) return listInputs(command.options.inputs);
  return runCommandJob({
    ...command,
    run: async (control) => {
      const { mergeProfiles } = await import('../merge-profiles.js');
      return mergeProfiles({ ...command.options, ...control });
    },
    report: (result) => report(result, command),
  });
}

function toCommand(parsed: ParsedArgs): MergeCommand {
  const given = valuesOf(MERGE_OPTIONS, parsed);
  const {
    weightedInput = [],
    inputFiles = [],
    failureMode,
    dumpInputFileList: listOnly = false,
    json = false,
    quiet = false,
    ...encodings
  } = valuesOf(MERGE_OWN, parsed);
  const keepGoing = given.keepGoing === true || failureMode === 'warn' || failureMode === 'all';
  checkStdin([...parsed.positionals, ...inputFiles]);
  refuseTerminal(parsed.positionals, 'profile');
  refuseTerminal(inputFiles, 'list');
  // The order is llvm-profdata's. It matters where checksums differ: the first version of a function stays.
  const inputs = [
    ...expandProfiles(parsed.positionals, keepGoing),
    ...weightedInput.flatMap((text) => weightedInputs(text, keepGoing)),
    ...inputFiles.flatMap((list) => listedInputs(list, keepGoing)),
  ];
  if (inputs.length === 0) throw new UsageError('no input was given', 'autofdo-gen merge A B -o OUT');
  const target = listOnly ? '-' : requiredTarget(given.output, json);
  const options: MergeOptions = {
    ...given,
    inputs,
    lists: inputFiles,
    format: chosenFormat({ ...given, ...encodings }),
    output: undefined,
    ...outputOptions(target),
    ...(keepGoing && { keepGoing }),
  };
  return { options, listOnly, target, json, quiet };
}

/** Prints the inputs of the merge, as llvm-profdata does. */
async function listInputs(inputs: MergeOptions['inputs']): Promise<number> {
  const lines = inputs.map((input) => {
    const { path, weight = 1 } = typeof input === 'string' ? { path: input } : input;
    return `${weight},${path}\n`;
  });
  await print(lines.join(''));
  return EXIT.ok;
}

async function report(result: MergeResult, { target, json, quiet }: MergeCommand): Promise<undefined> {
  if (result.bytes !== undefined) await print(result.bytes);
  printDiagnostics(result.diagnostics, !quiet);
  const { mergeText } = await import('../report/merge.js');
  if (!quiet) printMessage(mergeText(result, target === '-' ? 'stdout' : target));
  if (json) print((await import('../report/json.js')).resultJson(result));
}

import type { MergeOptions, MergeResult } from '../merge-profiles.js';
import { parseCommand } from './command.js';
import { chosenFormat, outputOptions, requiredTarget } from './encoding.js';
import { expandInputs } from './input-files.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, toLibraryOptions, UsageError } from './parse-args.js';
import { MERGE_FLAGS } from './profile-flags.js';
import { print, printDiagnostics } from './terminal.js';
import { listedInputs, weightedInputs } from './weighted-inputs.js';

const OWN_FLAGS = [
  'weighted-input',
  'input-files',
  'failure-mode',
  'extbinary',
  'binary',
  'text',
  'output',
  'json',
  'quiet',
];

interface MergeCommand {
  options: MergeOptions;
  target: string;
  json: boolean;
  quiet: boolean;
}

/** Runs `merge`; resolves to the exit status. */
export async function runMergeCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, MERGE_FLAGS, 'merge', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    ...command,
    run: async (control) => {
      const { mergeProfiles } = await import('../merge-profiles.js');
      return mergeProfiles({ ...command.options, ...control });
    },
    report: (result) => report(result, command),
  });
}

function toCommand({ values, positionals }: ParsedArgs): MergeCommand {
  const list = (name: string) => (values.get(name) as string[] | undefined) ?? [];
  // llvm-profdata's order, which matters where checksums differ: the first version of a function stays.
  const inputs = [
    ...expandInputs(positionals),
    ...list('weighted-input').flatMap(weightedInputs),
    ...list('input-files').flatMap(listedInputs),
  ];
  if (inputs.length === 0) throw new UsageError('no input was given', 'autofdo-gen merge A B -o OUT');
  const target = requiredTarget(values);
  const mode = values.get('failure-mode');
  const options: MergeOptions = {
    ...toLibraryOptions(values, MERGE_FLAGS, OWN_FLAGS),
    inputs,
    format: chosenFormat(values),
    lists: list('input-files'),
    ...outputOptions(target),
    ...((mode === 'warn' || mode === 'all') && { keepGoing: true }),
  };
  return { options, target, json: values.get('json') === true, quiet: values.get('quiet') === true };
}

async function report(result: MergeResult, { target, json, quiet }: MergeCommand): Promise<undefined> {
  if (result.bytes !== undefined) print(result.bytes);
  printDiagnostics(result.diagnostics, !quiet);
  const { mergeText } = await import('../report/merge.js');
  if (!quiet) process.stderr.write(mergeText(result, target === '-' ? 'stdout' : target));
  if (json) print((await import('../report/json.js')).resultJson(result));
}

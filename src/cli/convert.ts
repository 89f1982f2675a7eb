import type { ConvertOptions, ConvertResult } from '../convert-profile.js';
import { parseCommand } from './command.js';
import { chosenFormat, outputOptions, requiredTarget } from './encoding.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, toLibraryOptions, UsageError } from './parse-args.js';
import { CONVERT_FLAGS } from './profile-flags.js';
import { print, printDiagnostics } from './terminal.js';

const OWN_FLAGS = ['extbinary', 'binary', 'text', 'output', 'json', 'quiet'];

interface ConvertCommand {
  options: ConvertOptions;
  target: string;
  json: boolean;
  quiet: boolean;
}

/** Runs `convert`; resolves to the exit status. */
export async function runConvertCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, CONVERT_FLAGS, 'convert', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    ...command,
    run: async (control) => {
      const { convertProfile } = await import('../convert-profile.js');
      return convertProfile({ ...command.options, ...control });
    },
    report: (result) => report(result, command),
  });
}

function toCommand({ values, positionals }: ParsedArgs): ConvertCommand {
  const [input, ...more] = positionals;
  if (input === undefined || more.length > 0) {
    throw new UsageError(
      `expected one profile, found ${positionals.length}`,
      'autofdo-gen convert a.afdo --text -o a.prof',
    );
  }
  const target = requiredTarget(values);
  const options: ConvertOptions = {
    ...toLibraryOptions(values, CONVERT_FLAGS, OWN_FLAGS),
    input,
    format: chosenFormat(values),
    ...outputOptions(target),
  };
  return { options, target, json: values.get('json') === true, quiet: values.get('quiet') === true };
}

async function report(result: ConvertResult, { target, json, quiet }: ConvertCommand): Promise<undefined> {
  if (result.bytes !== undefined) print(result.bytes);
  printDiagnostics(result.diagnostics, !quiet);
  const { encodedText } = await import('../report/merge.js');
  if (!quiet) process.stderr.write(encodedText(result, target === '-' ? 'stdout' : target));
  if (json) print((await import('../report/json.js')).resultJson(result));
}

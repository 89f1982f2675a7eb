import type { ConvertResult } from '../convert-profile.js';
import { CONVERT_OPTIONS, type ConvertOptions } from '../options/merge.js';
import { parseCommand } from './command.js';
import { chosenFormat, outputOptions, requiredTarget } from './encoding.js';
import { CONVERT_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { print, printDiagnostics, printMessage } from './terminal.js';

interface ConvertCommand {
  options: ConvertOptions;
  target: string;
  json: boolean;
  quiet: boolean;
}

/** Runs `convert`. Resolves to the exit status. */
export async function runConvertCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'convert', toCommand);
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

function toCommand(parsed: ParsedArgs): ConvertCommand {
  const { positionals } = parsed;
  const [input, ...more] = positionals;
  if (input === undefined || more.length > 0) {
    throw new UsageError(
      `expected one profile, found ${positionals.length}`,
      'autofdo-gen convert a.afdo --text -o a.prof',
    );
  }
  refuseTerminal(input, 'profile');
  const given = valuesOf(CONVERT_OPTIONS, parsed);
  const { json = false, quiet = false, ...encodings } = valuesOf(CONVERT_OWN, parsed);
  const target = requiredTarget(given.output, json);
  const options: ConvertOptions = {
    ...given,
    input,
    format: chosenFormat({ ...given, ...encodings }),
    output: undefined,
    ...outputOptions(target),
  };
  return { options, target, json, quiet };
}

async function report(result: ConvertResult, { target, json, quiet }: ConvertCommand): Promise<undefined> {
  if (result.bytes !== undefined) await print(result.bytes);
  printDiagnostics(result.diagnostics, !quiet);
  const { encodedText } = await import('../report/merge.js');
  if (!quiet) printMessage(encodedText(result, target === '-' ? 'stdout' : target));
  if (json) print((await import('../report/json.js')).resultJson(result));
}

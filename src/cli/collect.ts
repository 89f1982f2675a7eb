import type { CollectResult } from '../collect-traces.js';
import { COLLECT_OPTIONS, type CollectOptions } from '../options/collect.js';
import { parseCommand } from './command.js';
import { COLLECT_OWN } from './flags.js';
import { expandInputs } from './input-files.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { refuseStrays } from './stray-arguments.js';
import { EXIT, print, printDiagnostics, printMessage } from './terminal.js';

interface CollectCommand {
  options: CollectOptions;
  json: boolean;
  quiet: boolean;
}

/** Runs `collect`. Resolves to the exit status. */
export async function runCollectCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'collect', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    ...command,
    run: async (control) => {
      const { collectTraces } = await import('../collect-traces.js');
      return collectTraces({ ...command.options, ...control });
    },
    interrupted: 'files of traces that were finished stay',
    report: (result) => report(result, command),
  });
}

function toCommand(parsed: ParsedArgs): CollectCommand {
  refuseStrays(parsed, 'name the recording with --perfdata');
  const { perfData, output, ...given } = valuesOf(COLLECT_OPTIONS, parsed);
  const { json = false, quiet = false } = valuesOf(COLLECT_OWN, parsed);
  if (perfData === undefined) {
    throw new UsageError('no recording was given', 'name it with --perfdata FILE; - is stdin');
  }
  if (output === undefined || output === '-') {
    const found = output === undefined ? 'no output was given' : 'traces cannot go to stdout';
    throw new UsageError(found, 'name a folder or a .parquet file with -o');
  }
  refuseTerminal(perfData, 'recording');
  return { options: { ...given, perfData: expandInputs(perfData), output }, json, quiet };
}

async function report(result: CollectResult, { json, quiet }: CollectCommand): Promise<number | undefined> {
  printDiagnostics(result.diagnostics, !quiet);
  if (!quiet) printMessage((await import('../report/traces.js')).collectText(result));
  if (json) print((await import('../report/json.js')).resultJson(result));
  return result.interrupted ? EXIT.interrupted : undefined;
}

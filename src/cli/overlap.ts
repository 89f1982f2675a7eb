import type { CompareResult } from '../compare-profiles.js';
import { COMPARE_OPTIONS, type CompareOptions } from '../options/compare.js';
import { parseCommand } from './command.js';
import { OVERLAP_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { EXIT, printDiagnostics, printMessage } from './terminal.js';
import { checkTarget, writeTarget } from './text-output.js';

interface OverlapCommand {
  options: CompareOptions;
  /** Least similarity in percent, if the command line gives one. */
  threshold: number | undefined;
  target: string;
  json: boolean;
  demangle: boolean;
}

/** Runs `overlap`. Resolves to the exit status. */
export async function runOverlapCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'overlap', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.json,
    quiet: true,
    run: async ({ signal }) => {
      const { base, test } = command.options;
      await checkTarget(command.target, [base, test]);
      const { compareProfiles } = await import('../compare-profiles.js');
      return compareProfiles({ ...command.options, signal });
    },
    report: (result) => report(result, command),
  });
}

function toCommand(parsed: ParsedArgs): OverlapCommand {
  const { positionals } = parsed;
  const [base, test, ...more] = positionals;
  if (base === undefined || test === undefined || more.length > 0) {
    throw new UsageError(
      `expected two profiles, found ${positionals.length}`,
      'autofdo-gen overlap old.afdo new.afdo',
    );
  }
  refuseTerminal([base, test], 'profile');
  const { threshold, output: target = '-', json = false, demangle = false } = valuesOf(OVERLAP_OWN, parsed);
  const options = { top: 10, ...valuesOf(COMPARE_OPTIONS, parsed), base, test };
  return { options, threshold, target, json, demangle };
}

async function report(result: CompareResult, command: OverlapCommand): Promise<number> {
  const { threshold, target, json, options } = command;
  const similarEnough = threshold === undefined || result.similarity * 100 >= threshold;
  const write = (text: string) => writeTarget(target, [options.base, options.test], [text]);
  printDiagnostics(result.diagnostics, true);
  const names = command.demangle
    ? await (await import('../native.js')).loadDemangle()
    : (text: string) => text;
  if (json) {
    const { text: _text, ...numbers } = result;
    const shown = (_: string, value: unknown) => (typeof value === 'string' ? names(value) : value);
    const { jsonText } = await import('../report/json.js');
    await write(`${jsonText({ ok: similarEnough, ...numbers }, 2, shown)}\n`);
  } else {
    const { changesText } = await import('../report/comparison.js');
    await write(names(result.text + changesText(result)));
  }
  if (similarEnough) return EXIT.ok;
  const percent = (result.similarity * 100).toFixed(3);
  printMessage(`error: the profiles are ${percent}% similar, less than the threshold of ${threshold}%\n`);
  return EXIT.failed;
}

import type { CompareOptions, CompareResult } from '../compare-profiles.js';
import { parseCommand } from './command.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError } from './parse-args.js';
import { OVERLAP_FLAGS } from './profile-flags.js';
import { EXIT, print, printDiagnostics } from './terminal.js';

interface OverlapCommand {
  options: CompareOptions;
  /** Least similarity in percent. */
  threshold: number;
  json: boolean;
  demangle: boolean;
}

/** Runs `overlap`; resolves to the exit status. */
export async function runOverlapCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, OVERLAP_FLAGS, 'overlap', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.json,
    quiet: true,
    run: async ({ signal }) => {
      const { compareProfiles } = await import('../compare-profiles.js');
      return compareProfiles({ ...command.options, signal });
    },
    report: (result) => report(result, command),
  });
}

function toCommand({ values, positionals }: ParsedArgs): OverlapCommand {
  const [base, test, ...more] = positionals;
  if (base === undefined || test === undefined || more.length > 0) {
    throw new UsageError(
      `expected two profiles, found ${positionals.length}`,
      'autofdo-gen overlap old.afdo new.afdo',
    );
  }
  const threshold = (values.get('threshold') as number | undefined) ?? 0;
  if (threshold > 100) throw new UsageError(`--threshold is ${threshold}`, 'expected a percentage, 0 to 100');
  const options: CompareOptions = {
    base,
    test,
    top: (values.get('topn') as number | undefined) ?? 10,
    valueCutoff: values.get('value-cutoff') as number | undefined,
    similarityCutoff: values.get('similarity-cutoff') as number | undefined,
  };
  return { options, threshold, json: values.get('json') === true, demangle: values.get('demangle') === true };
}

async function report(result: CompareResult, command: OverlapCommand): Promise<number> {
  const { threshold, json } = command;
  const similarEnough = result.similarity * 100 >= threshold;
  printDiagnostics(result.diagnostics, true);
  const names = command.demangle
    ? await (await import('../native.js')).loadDemangle()
    : (text: string) => text;
  if (json) {
    const { text: _text, ...numbers } = result;
    const shown = (_: string, value: unknown) => (typeof value === 'string' ? names(value) : value);
    print(`${JSON.stringify({ ok: similarEnough, ...numbers }, shown, 2)}\n`);
  } else {
    const { changesText } = await import('../report/comparison.js');
    print(names(result.text + changesText(result)));
  }
  if (similarEnough) return EXIT.ok;
  const percent = (result.similarity * 100).toFixed(3);
  process.stderr.write(
    `error: the profiles are ${percent}% similar, less than the threshold of ${threshold}%\n`,
  );
  return EXIT.failed;
}

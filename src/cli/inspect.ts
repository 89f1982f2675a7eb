import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { parseCommand } from './command.js';
import { INSPECT_OWN } from './flags.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { print } from './terminal.js';

interface InspectCommand {
  file: string;
  json: boolean;
}

/** Runs `inspect`. Resolves to the exit status. */
export async function runInspectCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'inspect', toCommand);
  if (typeof command === 'number') return command;
  const { file, json } = command;
  if (isParquet(file)) {
    return runCommandJob({
      json,
      quiet: false,
      run: async (control) => (await import('../inspect-traces.js')).inspectTraces(file, control),
      report: async (summary) => {
        if (json) print((await import('../report/json.js')).resultJson(summary));
        else print((await import('../report/traces.js')).tracesText(summary));
        return undefined;
      },
    });
  }
  return runCommandJob({
    json,
    quiet: false,
    run: async (control) => (await import('../perf-data/inspect.js')).inspectPerfData(file, control),
    report: async (summary) => {
      if (json) print(`${(await import('../report/json.js')).jsonText(summary, 2)}\n`);
      else print((await import('../report/inspection.js')).inspectionText(summary));
      return undefined;
    },
  });
}

function toCommand(parsed: ParsedArgs): InspectCommand {
  const { positionals } = parsed;
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    throw new UsageError(`expected one file, found ${positionals.length}`, 'autofdo-gen inspect perf.data');
  }
  const { json = false } = valuesOf(INSPECT_OWN, parsed);
  return { file, json };
}

/**
 * True if a file is a trace shard, that is Parquet: by its first bytes, or by its name if these bytes are damaged.
 */
function isParquet(path: string): boolean {
  if (path.endsWith('.parquet')) return true;
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const start = Buffer.alloc(4);
  try {
    const file = openSync(path, 'r');
    readSync(file, start);
    closeSync(file);
  } catch {
    return false; // The reader of the file reports the error.
  }
  return start.toString('latin1') === 'PAR1';
}

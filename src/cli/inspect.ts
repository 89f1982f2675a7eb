import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { AutofdoError } from '../errors.js';
import type { TracesSummary } from '../inspect-traces.js';
import type { JobControl } from '../native.js';
import { checkStdin } from '../options/check.js';
import type { PerfDataSummary } from '../perf-data/summary.js';
import { parseCommand } from './command.js';
import { INSPECT_OWN } from './flags.js';
import { expandInspected } from './input-files.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { EXIT, print, printError } from './terminal.js';

interface InspectCommand {
  files: string[];
  /** True if the arguments name one file itself. Its JSON is an object, and that of a folder or a pattern an array. */
  isOne: boolean;
  json: boolean;
}

/** What a file holds. */
type Inspected = { kind: 'traces'; summary: TracesSummary } | { kind: 'recording'; summary: PerfDataSummary };
/** What a file holds, or why that cannot be told. */
type Outcome = Inspected | { kind: 'error'; file: string; error: AutofdoError };

/** Runs `inspect`. Resolves to the exit status. */
export async function runInspectCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'inspect', toCommand);
  if (typeof command === 'number') return command;
  const { files, isOne, json } = command;
  if (isOne) {
    return runCommandJob({
      json,
      quiet: false,
      run: (control) => inspect(files[0] ?? '', control),
      report: async (outcome) => {
        print(json ? await jsonOf(outcome) : await textOf(outcome));
        return undefined;
      },
    });
  }
  return runCommandJob({
    json,
    quiet: false,
    run: (control) => inspectAll(files, control),
    report: (outcomes) => reportAll(outcomes, json),
  });
}

function toCommand(parsed: ParsedArgs): InspectCommand {
  const { positionals } = parsed;
  if (positionals.length === 0) throw new UsageError('no file was given', 'autofdo-gen inspect perf.data');
  refuseTerminal(positionals, 'recording');
  const files = expandInspected(positionals);
  checkStdin(files);
  const { json = false } = valuesOf(INSPECT_OWN, parsed);
  const isOne = files.length === 1 && positionals.length === 1 && files[0] === positionals[0];
  return { files, isOne, json };
}

async function inspect(file: string, control: JobControl): Promise<Inspected> {
  if (isParquet(file)) {
    const { inspectTraces } = await import('../inspect-traces.js');
    return { kind: 'traces', summary: await inspectTraces(file, control) };
  }
  const { inspectPerfData } = await import('../perf-data/inspect.js');
  return { kind: 'recording', summary: await inspectPerfData(file, control) };
}

/** Inspects the files one after the other. If one cannot be read, the others still are. */
async function inspectAll(files: readonly string[], control: JobControl): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const file of files) {
    try {
      outcomes.push(await inspect(file, control));
    } catch (error) {
      if (control.signal?.aborted || !(error instanceof AutofdoError)) throw error;
      outcomes.push({ kind: 'error', file, error });
    }
  }
  return outcomes;
}

async function reportAll(outcomes: readonly Outcome[], json: boolean): Promise<number> {
  const failed = outcomes.some(({ kind }) => kind === 'error');
  if (json) {
    const { jsonText } = await import('../report/json.js');
    const all = outcomes.map((outcome) =>
      outcome.kind === 'error'
        ? { ok: false, file: outcome.file, error: outcome.error }
        : { ok: true, ...outcome.summary },
    );
    print(`${jsonText(all, 2)}\n`);
  }
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.kind === 'error') printError(outcome.error);
    else if (!json) print(`${index > 0 ? '\n' : ''}${await textOf(outcome)}`);
  }
  return failed ? EXIT.failed : EXIT.ok;
}

async function textOf(outcome: Inspected): Promise<string> {
  if (outcome.kind === 'traces') return (await import('../report/traces.js')).tracesText(outcome.summary);
  return (await import('../report/inspection.js')).inspectionText(outcome.summary);
}

async function jsonOf(outcome: Inspected): Promise<string> {
  const { jsonText, resultJson } = await import('../report/json.js');
  return outcome.kind === 'traces' ? resultJson(outcome.summary) : `${jsonText(outcome.summary, 2)}\n`;
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

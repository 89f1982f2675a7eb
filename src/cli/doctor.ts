import type { BinaryDiagnosis } from '../diagnose-binary.js';
import { AutofdoError } from '../errors.js';
import type { JobControl } from '../native.js';
import { DIAGNOSE_OPTIONS, type DiagnoseOptions } from '../options/diagnose.js';
import { parseCommand } from './command.js';
import { DOCTOR_OWN } from './flags.js';
import { expandInputs } from './input-files.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseStrays } from './stray-arguments.js';
import { EXIT, print, printError } from './terminal.js';

interface DoctorCommand {
  binaries: string[];
  options: Omit<DiagnoseOptions, 'binary'>;
  json: boolean;
}

type Outcome = BinaryDiagnosis | { binary: string; error: AutofdoError };

/** Runs `doctor`. Resolves to the exit status. */
export async function runDoctorCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'doctor', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.json,
    quiet: true,
    run: (control) => diagnoseAll(command, control),
    report: (outcomes) => report(outcomes, command.json),
  });
}

function toCommand(parsed: ParsedArgs): DoctorCommand {
  refuseStrays(parsed, 'name the program with --binary FILE');
  const { binaries = [], json = false } = valuesOf(DOCTOR_OWN, parsed);
  if (binaries.length === 0) {
    throw new UsageError('no binary was given', 'autofdo-gen doctor --binary vmlinux [--perfdata perf.data]');
  }
  const { perfData, ...options } = valuesOf(DIAGNOSE_OPTIONS, parsed);
  return { binaries, options: { ...options, perfData: perfData && expandInputs(perfData) }, json };
}

/** Diagnoses the binaries one after the other. If a binary cannot be examined, the others still are. */
async function diagnoseAll({ binaries, options }: DoctorCommand, control: JobControl): Promise<Outcome[]> {
  const { diagnoseBinary } = await import('../diagnose-binary.js');
  const outcomes: Outcome[] = [];
  for (const binary of binaries) {
    try {
      outcomes.push(await diagnoseBinary({ ...options, binary, signal: control.signal }));
    } catch (error) {
      if (control.signal?.aborted || !(error instanceof AutofdoError) || error.code === 'INVALID_OPTIONS')
        throw error;
      outcomes.push({ binary, error });
    }
  }
  return outcomes;
}

async function report(outcomes: readonly Outcome[], json: boolean): Promise<number> {
  const ok = outcomes.every((outcome) => !('error' in outcome) && outcome.verdict !== 'unusable');
  if (json) {
    const binaries = outcomes.map((outcome) => ('error' in outcome ? failure(outcome) : outcome));
    const { jsonText } = await import('../report/json.js');
    print(`${jsonText({ ok, binaries }, 2)}\n`);
    return ok ? EXIT.ok : EXIT.failed;
  }
  const { diagnosisText } = await import('../report/diagnosis.js');
  for (const [index, outcome] of outcomes.entries()) {
    if (index > 0) print('\n');
    if ('error' in outcome) printError(outcome.error);
    else print(diagnosisText(outcome));
  }
  return ok ? EXIT.ok : EXIT.failed;
}

function failure({ binary, error: { code, message, hint, path } }: { binary: string; error: AutofdoError }) {
  return { binary, verdict: 'unusable', error: { code, message, hint, path } };
}

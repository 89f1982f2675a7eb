import type { JobControl } from '../native.js';
import { list } from '../options/check.js';
import { REPORT_OPTIONS, type ReportOptions } from '../options/report.js';
import type { Report } from '../profile-report/types.js';
import { parseCommand } from './command.js';
import { type REPORT_FORMS, REPORT_OWN } from './flags.js';
import { expandInputs } from './input-files.js';
import { runCommandJob } from './job.js';
import { type ParsedArgs, UsageError, valuesOf } from './parse-args.js';
import { refuseTerminal } from './standard-input.js';
import { refuseStrays } from './stray-arguments.js';
import {
  isShown,
  isWatched,
  printAll,
  printDiagnostics,
  printError,
  printMessage,
  temperaturePaint,
  terminalWidth,
} from './terminal.js';
import { checkTarget, writeTarget } from './text-output.js';

/** The form in which a report is written. */
type Form = (typeof REPORT_FORMS)[number];

interface ReportCommand {
  options: ReportOptions;
  form: Form;
  target: string;
  /** Number of functions and lines in the text form. */
  top: number;
  quiet: boolean;
}

/** Ends of file names with the forms that they select; the longest ends first. */
const ENDINGS: readonly [ending: string, form: Form][] = [
  ['.speedscope.json', 'speedscope'],
  ['.html', 'html'],
  ['.htm', 'html'],
  ['.json', 'json'],
  ['.pb.gz', 'pprof'],
  ['.pprof', 'pprof'],
  ['.txt', 'text'],
];

/** Runs `report`. Resolves to the exit status. */
export async function runReportCommand(args: readonly string[]): Promise<number> {
  const command = await parseCommand(args, 'report', toCommand);
  if (typeof command === 'number') return command;
  return runCommandJob({
    json: command.form === 'json',
    quiet: command.quiet,
    run: (control) => makeAndWrite(command, control),
    report: async ({ pieces, report }) => {
      if (command.target === '-') await printAll(pieces);
      printFindings(report, command);
      return undefined;
    },
  });
}

function toCommand(parsed: ParsedArgs): ReportCommand {
  const given = valuesOf(REPORT_OPTIONS, parsed);
  const { output, format, text, json, top = 15, quiet = false } = valuesOf(REPORT_OWN, parsed);
  const isRecorded = [given.perfData, given.perfScript, given.traces].some((input) => input !== undefined);
  if (isRecorded) refuseStrays(parsed, 'name recordings or finished profiles, not both');
  const profile = expandInputs(parsed.positionals);
  if (profile.length === 0 && !isRecorded) {
    throw new UsageError(
      'no profile and no recording was given',
      'autofdo-gen report --binary FILE --perfdata FILE -o report.html, or autofdo-gen report a.afdo -o report.html',
    );
  }
  const { binary, binaryDir, allBinaries } = given;
  if (profile.length === 0 && binary === undefined && binaryDir === undefined && allBinaries !== true) {
    throw new UsageError('no binary was given', 'name the profiled program with --binary FILE');
  }
  const named = [
    ...(format ? [format] : []),
    ...(text ? ['text' as const] : []),
    ...(json ? ['json' as const] : []),
  ];
  const forms = new Set(named);
  if (forms.size > 1) {
    throw new UsageError(`${[...forms].join(' and ')} cannot both be written`, 'choose one form');
  }
  const target = output ?? '-';
  const form = named[0] ?? formOfTarget(target);
  if (target === '-' && isShown() && (form === 'html' || form === 'pprof')) {
    throw new UsageError(`${form} is not for a terminal`, 'name a file with -o FILE');
  }
  refuseTerminal(given.perfData, 'recording');
  refuseTerminal(given.perfScript, 'text');
  const options: ReportOptions = {
    ...given,
    perfData: given.perfData && expandInputs(given.perfData),
    perfScript: given.perfScript && expandInputs(given.perfScript),
    traces: given.traces && expandInputs(given.traces),
    ...(profile.length > 0 && { profile }),
  };
  return { options, form, target, top, quiet };
}

/** Returns the form that the name of the output selects. */
function formOfTarget(target: string): Form {
  if (target === '-') return 'text';
  const found = ENDINGS.find(([ending]) => target.toLowerCase().endsWith(ending));
  if (found !== undefined) return found[1];
  throw new UsageError(
    `the name ${target} does not tell what to write`,
    `end it with ${ENDINGS.map(([ending]) => ending).join(', ')}, or give --format`,
  );
}

async function makeAndWrite(
  command: ReportCommand,
  control: JobControl,
): Promise<{ report: Report; pieces: Iterable<string | Uint8Array> }> {
  const { options, target } = command;
  const inputs = [
    options.binary,
    options.debugBinary,
    options.dwp,
    options.profile,
    options.perfData,
    options.perfScript,
    options.traces,
    options.base,
  ].flatMap(list);
  await checkTarget(target, inputs);
  const { makeReport } = await import('../profile-report/report.js');
  const made = await makeReport({ ...options, ...control }, (path) => inputs.push(path));
  const pieces = await renderReport(made, command);
  if (target !== '-') await writeTarget(target, inputs, pieces);
  return { report: made, pieces };
}

async function renderReport(
  report: Report,
  { form, target, top }: ReportCommand,
): Promise<Iterable<string | Uint8Array>> {
  switch (form) {
    case 'html':
      return (await import('../profile-report/html.js')).reportPage(report);
    case 'json':
      return (await import('../profile-report/json.js')).reportJson(report);
    case 'pprof':
      return [(await import('../profile-report/pprof.js')).toPprof(report)];
    case 'speedscope':
      return (await import('../profile-report/speedscope.js')).toSpeedscope(report);
    case 'text':
      return (await import('../report/profile-report.js')).reportTexts(report, {
        top,
        width: terminalWidth(80),
        // Files get no colours, because programs read them and people pass them on.
        paint: target === '-' ? temperaturePaint() : (_, text) => text,
      });
  }
}

/** Prints the warnings and failures that the page shows, too, because the user of the command should see them. */
function printFindings({ diagnostics, profiles, failures }: Report, { target, quiet }: ReportCommand): void {
  for (const { name, error } of failures) {
    printMessage(`${name} has no profile:\n`);
    printError(error);
  }
  const notes = !quiet && isWatched();
  printDiagnostics(diagnostics, notes);
  for (const { path, diagnostics: own } of profiles) {
    const named = own.map((diagnostic) => ({ ...diagnostic, message: `${path}: ${diagnostic.message}` }));
    printDiagnostics(profiles.length > 1 ? named : own, notes);
  }
  if (target !== '-' && !quiet) printMessage(`report written to ${target}\n`);
}

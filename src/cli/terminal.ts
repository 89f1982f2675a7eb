import { styleText } from 'node:util';
import { AutofdoError } from '../errors.js';
import type { Diagnostic } from '../result.js';

/** Exit statuses of the command line. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const COLOURS = { error: 'red', warning: 'yellow', note: 'cyan', hint: 'green' } as const;

let colours: boolean | undefined;

/** Overrides that messages are coloured on a terminal only. */
export function useColours(on: boolean): void {
  colours = on;
}

function label(kind: keyof typeof COLOURS): string {
  const coloured = colours ?? (process.stderr.isTTY && !process.env['NO_COLOR']);
  return coloured ? styleText(['bold', COLOURS[kind]], `${kind}:`, { validateStream: false }) : `${kind}:`;
}

let listening = false;

/** Writes to stdout, which is opened for the first text: that takes as long as to read all flags. */
export function print(text: string | Uint8Array): void {
  if (!listening) {
    listening = true;
    // A reader that closes the pipe early (`| head`) is no failure of ours.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw error;
    });
  }
  process.stdout.write(text);
}

/** Prints an error as one paragraph with its remedy below. */
export function printError(error: unknown): void {
  if (!(error instanceof AutofdoError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${label('error')} ${text}\n`);
    return;
  }
  const { message, path, hint } = error;
  const where = path !== undefined && !message.includes(path) ? `${path}: ` : '';
  process.stderr.write(`${label('error')} ${indentContinuation(where + message)}\n`);
  if (hint !== undefined) process.stderr.write(`  ${label('hint')} ${indentContinuation(hint)}\n`);
}

/** Prints warnings and notes; a warning of llvm-profgen looks as it does there. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], notes: boolean): void {
  for (const { severity, message } of diagnostics) {
    if (severity === 'warning' || notes) process.stderr.write(`${label(severity)} ${message}\n`);
  }
}

function indentContinuation(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

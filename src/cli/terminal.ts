import { fstatSync, writeSync } from 'node:fs';
import { styleText } from 'node:util';
import { AutofdoError } from '../errors.js';
import { failureReason } from '../failure-reason.js';
import type { Temperature } from '../profile-report/types.js';
import { printable } from '../report/format.js';
import type { Diagnostic } from '../result.js';

/** Exit statuses of the command line program. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

const COLOURS = { error: 'red', warning: 'yellow', note: 'cyan', hint: 'green' } as const;
/**
 * Width of help in columns if stdout is not a terminal. On a terminal, the terminal's width is used, within
 * limits.
 */
const DEFAULT_WIDTH = 100;
const MIN_WIDTH = 60;

let chosen: boolean | undefined;

/** Turns colours on or off. Without this call, messages and reports have colours only on a terminal. */
export function useColours(on: boolean): void {
  chosen = on;
}

/** File descriptors. */
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/**
 * True if stdout or stderr is a terminal. Node loads its networking code to find this out (3 ms), so only
 * character devices are asked.
 */
function isTerminal(fd: typeof STDOUT | typeof STDERR): boolean {
  if (!fstatSync(fd).isCharacterDevice()) return false;
  return (fd === STDOUT ? process.stdout : process.stderr).isTTY === true;
}

/** True if stderr is a terminal, so that a person reads the messages. */
export function isWatched(): boolean {
  return isTerminal(STDERR);
}

/** True if stdout is a terminal, so that a person sees the output at once. */
export function isShown(): boolean {
  return isTerminal(STDOUT);
}

/** True if stdin is a terminal, so that a person would have to type what is read from it. */
export function isTyped(): boolean {
  // The stream of stdin is not opened, because the addon reads the descriptor itself.
  return fstatSync(STDIN).isCharacterDevice() && process.getBuiltinModule('node:tty').isatty(STDIN);
}

/**
 * True if output to `fd` has colours. --color decides first; then NO_COLOR, FORCE_COLOR and TERM, as in other
 * programs; then whether `fd` is a terminal.
 */
function coloured(fd: typeof STDOUT | typeof STDERR): boolean {
  if (chosen !== undefined) return chosen;
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined) return !/^(0|false)$/.test(FORCE_COLOR);
  return TERM !== 'dumb' && isTerminal(fd);
}

const TEMPERATURES: Record<Temperature, Parameters<typeof styleText>[0]> = {
  hot: 'red',
  warm: 'yellow',
  cold: 'cyan',
};

/**
 * Returns a function that colours a text for stdout by a temperature. The function leaves the text unchanged if
 * stdout has no colours.
 */
export function temperaturePaint(): (temperature: Temperature, text: string) => string {
  if (!coloured(STDOUT)) return (_, text) => text;
  return (temperature, text) => styleText(TEMPERATURES[temperature], text, { validateStream: false });
}

/** True if stderr is a terminal on which one line can be redrawn. */
export function canRedraw(): boolean {
  return isWatched() && process.env['TERM'] !== 'dumb';
}

/** Width of text on stdout in columns. The width is `most` if stdout is not a terminal. */
export function terminalWidth(most = DEFAULT_WIDTH): number {
  const columns = isShown() ? process.stdout.columns : most;
  return Math.min(most, Math.max(MIN_WIDTH, columns || most));
}

function label(kind: keyof typeof COLOURS): string {
  return coloured(STDERR)
    ? styleText(['bold', COLOURS[kind]], `${kind}:`, { validateStream: false })
    : `${kind}:`;
}

let listening = false;

function stdout(): NodeJS.WriteStream {
  if (!listening) {
    listening = true;
    process.stdout.on('error', stdoutFailed);
  }
  return process.stdout;
}

function stdoutFailed(error: NodeJS.ErrnoException): never {
  const reason =
    error.code === 'EPIPE' ? 'its reader has closed it before all was written' : failureReason(error);
  printError(new AutofdoError('OUTPUT_UNWRITABLE', `standard output cannot be written: ${reason}`));
  // No later text can be printed either.
  process.exit(EXIT.failed);
}

/**
 * Writes to stdout. The promise is fulfilled once the text is written. If that fails, an error is printed and the
 * process ends.
 */
export function print(text: string | Uint8Array): Promise<void> {
  let rest: Uint8Array = typeof text === 'string' ? Buffer.from(text) : text;
  try {
    if (!listening) rest = writeNow(STDOUT, rest);
  } catch (error) {
    stdoutFailed(error as NodeJS.ErrnoException);
  }
  if (rest.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    stdout().write(rest, (error) => {
      if (!error) resolve();
    });
  });
}

/**
 * Writes to a file descriptor without waiting. Returns the bytes that the descriptor does not take now. Opening
 * the stream of stdout or stderr takes as long as parsing all flags, so a stream is opened only for a text that
 * has to wait; all later texts then use the stream.
 */
function writeNow(fd: number, bytes: Uint8Array): Uint8Array {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return rest;
      throw error;
    }
  }
  return rest;
}

/**
 * Number of characters that are written to stdout at once. Writing each short text by itself would take longer
 * than making the text.
 */
const PIECE = 1 << 16;

/** Writes many texts to stdout. Each piece is written after its reader has taken the pieces before it. */
export async function printAll(texts: Iterable<string | Uint8Array>): Promise<void> {
  const stream = stdout();
  const write = async (piece: string | Uint8Array) => {
    if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', resolve));
  };
  let waiting = '';
  for (const text of texts) {
    const isText = typeof text === 'string';
    if (isText) waiting += text;
    if (waiting !== '' && (!isText || waiting.length >= PIECE)) {
      await write(waiting);
      waiting = '';
    }
    if (!isText) await write(text);
  }
  if (waiting !== '') await write(waiting);
}

let stderrListening = false;

/** Writes to stderr. A failure is ignored, because there is no other place to report it. */
export function printMessage(text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  try {
    if (!stderrListening) rest = writeNow(STDERR, rest);
  } catch {
    return;
  }
  if (rest.length === 0) return;
  if (!stderrListening) {
    stderrListening = true;
    process.stderr.on('error', () => {});
  }
  process.stderr.write(rest);
}

/** Prints an error as one paragraph, and its remedy below. */
export function printError(error: unknown): void {
  if (!(error instanceof AutofdoError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    printMessage(`${label('error')} ${text}\n`);
    return;
  }
  const { message, path, hint } = error;
  const where = path !== undefined && !message.includes(path) ? `${path}: ` : '';
  printMessage(`${label('error')} ${indentContinuation(where + message)}\n`);
  if (hint !== undefined) printMessage(`  ${label('hint')} ${indentContinuation(hint)}\n`);
}

/** Prints warnings and notes. A warning of llvm-profgen is printed in llvm-profgen's form. */
export function printDiagnostics(diagnostics: readonly Diagnostic[], notes: boolean): void {
  for (const { severity, message } of diagnostics) {
    if (severity === 'warning' || notes) printDiagnostic(severity, message);
  }
}

/** Prints a warning or a note. */
export function printDiagnostic(severity: Diagnostic['severity'], message: string): void {
  printMessage(`${label(severity)} ${message.split('\n').map(printable).join('\n')}\n`);
}

function indentContinuation(text: string): string {
  return text.split('\n').map(printable).join('\n  ');
}

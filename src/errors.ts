import type { BindingError, BindingErrorCode } from '../native/binding/index.cjs';
import { asSentence } from './remedy.js';

/**
 * Stable identifiers of failures. New codes may be added; no code is ever removed.
 *
 * - `INVALID_OPTIONS`: options are wrong or contradict each other
 * - `BINARY_UNREADABLE`: the binary does not exist or cannot be read
 * - `BINARY_INVALID`: the binary is not an ELF file, or it is damaged
 * - `BINARY_UNSUPPORTED`: the binary is an ELF file of a kind that cannot be profiled
 * - `NO_SYMBOLS`: neither the binary nor a debug file of it has a symbol table, so no instruction boundary is
 *   known
 * - `NO_DEBUG_INFO`: no debug information was found for the binary
 * - `INPUT_UNREADABLE`: an input does not exist or cannot be read
 * - `INPUT_INVALID`: an input has another format than was stated
 * - `INPUT_DAMAGED`: an input is damaged, and `strict` was set
 * - `NO_BRANCH_STACKS`: the recording has no branch stacks
 * - `ARCHITECTURE_MISMATCH`: the recording and the binary are of different machines
 * - `NO_MAPPING`: no mapping in the recording is of the binary
 * - `BUILD_ID_MISMATCH`: the recording maps another build of the binary
 * - `BINARY_MISMATCH`: the recorded branches are not branches of the binary's code
 * - `EMPTY_PROFILE`: no sample is left, so the profile would be empty
 * - `LOSS_EXCEEDED`: more branch entries were lost than `maxLoss` allows
 * - `OUTPUT_UNWRITABLE`: the result cannot be written
 * - `UNSUPPORTED`: the combination of inputs or options is not supported
 * - `ABORTED`: the job was cancelled (only seen as the signal's reason when the signal has no reason of its own)
 * - `ADDON_UNAVAILABLE`: the native addon is missing for this platform, or was not built
 * - `INTERNAL`: a defect of this package
 */
export type AutofdoErrorCode = BindingErrorCode | 'ADDON_UNAVAILABLE';

/** Facts of an error in addition to its message. */
export interface AutofdoErrorDetails {
  /** What to do next. */
  hint?: string | undefined;
  /** The file that the error is about. */
  path?: string | undefined;
  /** The error that caused this one. */
  cause?: unknown;
}

/**
 * The only error class of this package. `message` says what was found and what was expected; `hint` is the remedy.
 */
export class AutofdoError extends Error {
  override readonly name = 'AutofdoError';
  /** Stable identifier. Programs should compare the code, not the message. */
  readonly code: AutofdoErrorCode;
  /** What to do next; undefined if nothing can be done. */
  readonly hint: string | undefined;
  /** The file that the error is about. */
  readonly path: string | undefined;

  constructor(code: AutofdoErrorCode, message: string, details: AutofdoErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint === undefined ? undefined : asSentence(details.hint);
    this.path = details.path;
  }
}

/** Makes an exception from a failure that the addon reports. Failures of the addon become exceptions only here. */
export function toAutofdoError({ code, message, hint, path }: BindingError): AutofdoError {
  return new AutofdoError(code, message, { hint, path });
}

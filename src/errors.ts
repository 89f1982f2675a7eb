import type { BindingError, BindingErrorCode } from '../native/binding/index.cjs';

/**
 * Stable identifiers of failures. Codes are only ever added.
 *
 * - `INVALID_OPTIONS`: options are wrong or contradict each other
 * - `BINARY_UNREADABLE`: the binary does not exist or cannot be read
 * - `BINARY_INVALID`: it is no ELF file, or a damaged one
 * - `BINARY_UNSUPPORTED`: an ELF file of a kind that cannot be profiled
 * - `NO_SYMBOLS`: neither it nor a debug file of it has a symbol table, so no instruction boundary is known
 * - `NO_DEBUG_INFO`: no debug information was found for it
 * - `INPUT_UNREADABLE`: an input does not exist or cannot be read
 * - `INPUT_INVALID`: an input is not what it was said to be
 * - `INPUT_DAMAGED`: an input is damaged, and `strict` was asked for
 * - `NO_BRANCH_STACKS`: the recording has no branch stacks
 * - `ARCHITECTURE_MISMATCH`: recording and binary are of different machines
 * - `NO_MAPPING`: nothing in the recording maps the binary
 * - `BUILD_ID_MISMATCH`: the recording maps another build of the binary
 * - `BINARY_MISMATCH`: the branches that were taken are not those of the binary's code
 * - `EMPTY_PROFILE`: no sample is left, so the profile would be empty
 * - `LOSS_EXCEEDED`: more branch entries were lost than `maxLoss` allows
 * - `OUTPUT_UNWRITABLE`: the result cannot be written
 * - `UNSUPPORTED`: the combination is not supported
 * - `ABORTED`: the job was cancelled (only seen as the signal's reason when it has none of its own)
 * - `ADDON_UNAVAILABLE`: the native addon is missing for this platform, or was not built
 * - `INTERNAL`: a defect of this package
 */
export type AutofdoErrorCode = BindingErrorCode | 'ADDON_UNAVAILABLE';

/** Facts beside the message. */
export interface AutofdoErrorDetails {
  /** What to do next. */
  hint?: string | undefined;
  /** The file it is about. */
  path?: string | undefined;
  /** What went wrong underneath. */
  cause?: unknown;
}

/** The one error class of this package: what was found and expected in `message`, the remedy in `hint`. */
export class AutofdoError extends Error {
  override readonly name = 'AutofdoError';
  /** Stable identifier; compare this and not the message. */
  readonly code: AutofdoErrorCode;
  /** What to do next, when something can be done. */
  readonly hint: string | undefined;
  /** The file it is about. */
  readonly path: string | undefined;

  constructor(code: AutofdoErrorCode, message: string, details: AutofdoErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.path = details.path;
  }
}

/** The only place where a failure of the addon becomes an exception. */
export function toAutofdoError({ code, message, hint, path }: BindingError): AutofdoError {
  return new AutofdoError(code, message, { hint, path });
}

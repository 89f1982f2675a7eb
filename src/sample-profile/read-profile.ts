import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { AutofdoError } from '../errors.js';
import { failureReason } from '../failure-reason.js';
import { checkOptions } from '../options/check.js';
import { NO_FLAG } from '../options/flag.js';
import { worded } from '../options/wording.js';
import { readBinaryProfile } from './binary.js';
import { ByteReader } from './byte-reader.js';
import { readExtBinaryProfile } from './extbinary.js';
import { damagedProfile, NEWER_LLVM } from './profile-error.js';
import { finish, finishInTurns, type Steps } from './steps.js';
import { readTextProfile } from './text.js';
import type { SampleProfile } from './types.js';

/**
 * Magic number of the binary forms without its last byte, which tells the form: `SPROF42` (LLVM: SampleProf.h,
 * `SPMagic`).
 */
const MAGIC = 0x5350_524f_4634_32n;
const FORM = { binary: 0xff, extbinary: 0x04 } as const;
const VERSION = 103;

/** Options for reading a profile. */
export interface ReadOptions {
  /** Rejects the promise with the signal's reason once it is aborted. */
  signal?: AbortSignal | undefined;
}

/**
 * Reads a sample profile of any form from a file, from standard input (`-`) or from memory. Other work of the
 * event loop runs in between, however large the profile is.
 *
 * @throws AutofdoError `INPUT_UNREADABLE` or `INPUT_INVALID`.
 */
export async function readProfile(
  source: string | Uint8Array,
  options: ReadOptions = {},
): Promise<SampleProfile> {
  checkOptions(options, { signal: NO_FLAG });
  const { signal } = options;
  signal?.throwIfAborted();
  if (typeof source !== 'string') return finishInTurns(profileSteps(source), signal);
  const path = source;
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await buffer(process.stdin) : await readFile(path);
  } catch (cause) {
    throw new AutofdoError('INPUT_UNREADABLE', `${path} cannot be read: ${failureReason(cause)}`, {
      hint: 'check the path and your permission to read it',
      path,
      cause,
    });
  }
  try {
    return await finishInTurns(profileSteps(bytes), signal);
  } catch (error) {
    if (!(error instanceof AutofdoError) || signal?.aborted) throw error;
    throw new AutofdoError(error.code, `${path}: ${error.message}`, { hint: error.hint, path, cause: error });
  }
}

/**
 * Parses a sample profile of any form in one step. The event loop waits meanwhile: about 0.1 s for each MB of a
 * binary form, and 0.3 s for each MB of text. `readProfile` also takes bytes, and lets the event loop run in
 * between.
 *
 * @throws AutofdoError `INPUT_INVALID`.
 */
export function parseProfile(bytes: Uint8Array): SampleProfile {
  return finish(profileSteps(bytes));
}

function profileSteps(bytes: Uint8Array): Steps<SampleProfile> {
  const form = binaryForm(bytes);
  if (form === undefined) {
    refuseOtherFiles(bytes);
    return readTextProfile(bytes);
  }
  const reader = new ByteReader(bytes);
  reader.uleb();
  const version = reader.u32('version');
  if (version !== VERSION) {
    throw new AutofdoError('INPUT_INVALID', `version ${version} of the format; only ${VERSION} is known`, {
      hint: NEWER_LLVM,
    });
  }
  switch (form) {
    case FORM.binary:
      return readBinaryProfile(reader);
    case FORM.extbinary:
      return readExtBinaryProfile(bytes, reader);
    default:
      throw damagedProfile('offset 0', `a binary form of unknown kind 0x${form.toString(16)}`);
  }
}

/** Number of bytes at the start that are examined to tell text from other files. */
const LOOKED_AT = 4096;

/** Refuses a file that is not text, because text has no NUL bytes. */
function refuseOtherFiles(bytes: Uint8Array): void {
  const head = bytes.subarray(0, LOOKED_AT);
  const begins = (magic: string) =>
    Buffer.from(head.subarray(0, magic.length)).equals(Buffer.from(magic, 'latin1'));
  const refuse = (what: string, hint: string) => {
    throw new AutofdoError('INPUT_INVALID', `${what}, not a sample profile`, { hint: worded(hint) });
  };
  if (begins('PERFILE2'))
    refuse('a perf.data file', 'make a profile of it first: {generate --binary --perfdata}');
  if (begins('\x7fELF')) refuse('an ELF file', 'name a profile, as {generate --binary --perfdata} writes it');
  if (head.includes(0))
    refuse('a file that is not text', 'name a profile, as {generate --binary --perfdata} writes it');
}

/** Returns the last byte of the magic number, or `undefined` if there is no magic number, as in text. */
function binaryForm(bytes: Uint8Array): number | undefined {
  // A ULEB128 of 64 bits has at least nine bytes, and eight of them have their top bit set. No text begins with
  // such bytes.
  if (bytes.length < 10 || bytes.subarray(0, 8).some((byte) => byte < 0x80)) return undefined;
  const magic = new ByteReader(bytes).uleb();
  return magic >> 8n === MAGIC ? Number(magic & 0xffn) : undefined;
}

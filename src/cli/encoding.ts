import { FORMATS } from '../options/common.js';
import type { ProfileFormat } from '../sample-profile/types.js';
import { UsageError } from './parse-args.js';

/** The values of the flags about the encoding. */
interface EncodingFlags extends Partial<Record<ProfileFormat, boolean>> {
  format?: ProfileFormat;
}

/**
 * Returns the encoding that --format or one of llvm-profdata's three flags names. Returns `undefined` if no flag
 * names one.
 */
export function chosenFormat(flags: EncodingFlags): ProfileFormat | undefined {
  const chosen = new Set(FORMATS.filter((format) => flags[format] === true));
  if (flags.format !== undefined) chosen.add(flags.format);
  const [format, ...more] = chosen;
  if (more.length > 0) {
    throw new UsageError(`${[...chosen].join(' and ')} cannot both be written`, 'choose one encoding');
  }
  return format;
}

/** Returns the place of the result: a path, or `-` for stdout. Throws a `UsageError` if --output is missing. */
export function requiredTarget(output: string | undefined, json: boolean | undefined): string {
  if (output === undefined) throw new UsageError('no output was given', 'name it with -o FILE; - is stdout');
  if (output === '-' && json === true) {
    throw new UsageError('--json and -o - both write to stdout', 'name an output file with -o FILE');
  }
  return output;
}

/** Returns the library's options for a result that goes to a path, or to stdout if `target` is `-`. */
export function outputOptions(target: string): { output: string } | { toStdout: true } {
  return target === '-' ? { toStdout: true } : { output: target };
}

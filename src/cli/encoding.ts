import { FORMATS } from '../options/common.js';
import type { ProfileFormat } from '../sample-profile/types.js';
import { UsageError } from './parse-args.js';

/** What the flags about the encoding say. */
interface EncodingFlags extends Partial<Record<ProfileFormat, boolean>> {
  format?: ProfileFormat;
}

/** The encoding that --format or one of llvm-profdata's three flags names. */
export function chosenFormat(flags: EncodingFlags): ProfileFormat | undefined {
  const chosen = new Set(FORMATS.filter((format) => flags[format] === true));
  if (flags.format !== undefined) chosen.add(flags.format);
  const [format, ...more] = chosen;
  if (more.length > 0) {
    throw new UsageError(`${[...chosen].join(' and ')} cannot both be written`, 'choose one encoding');
  }
  return format;
}

/** Where the result goes: a path, or `-` for stdout. */
export function requiredTarget(output: string | undefined, json: boolean | undefined): string {
  if (output === undefined) throw new UsageError('no output was given', 'name it with -o FILE; - is stdout');
  if (output === '-' && json === true) {
    throw new UsageError('--json and -o - both want stdout', 'name an output file with -o FILE');
  }
  return output;
}

/** Options of the library for a result that goes to a path, or to stdout for `-`. */
export function outputOptions(target: string): { output: string } | { toStdout: true } {
  return target === '-' ? { toStdout: true } : { output: target };
}

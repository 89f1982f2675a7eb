import type { ProfileFormat } from '../sample-profile/types.js';
import { type FlagValue, UsageError } from './parse-args.js';

const FORMATS = ['extbinary', 'binary', 'text'] as const satisfies ProfileFormat[];

/** The encoding that --format or one of llvm-profdata's three flags names. */
export function chosenFormat(values: ReadonlyMap<string, FlagValue>): ProfileFormat | undefined {
  const chosen = new Set(FORMATS.filter((format) => values.get(format) === true));
  const named = values.get('format') as ProfileFormat | undefined;
  if (named !== undefined) chosen.add(named);
  const [format, ...more] = chosen;
  if (more.length > 0) {
    throw new UsageError(`${[...chosen].join(' and ')} cannot both be written`, 'choose one encoding');
  }
  return format;
}

/** Where the result goes: a path, or `-` for stdout. */
export function requiredTarget(values: ReadonlyMap<string, FlagValue>): string {
  const target = values.get('output') as string | undefined;
  if (target === undefined) throw new UsageError('no output was given', 'name it with -o FILE; - is stdout');
  if (target === '-' && values.get('json') === true) {
    throw new UsageError('--json and -o - both want stdout', 'name an output file with -o FILE');
  }
  return target;
}

/** Options of the library for a result that goes to a path, or to stdout for `-`. */
export function outputOptions(target: string): { output: string } | { toStdout: true } {
  return target === '-' ? { toStdout: true } : { output: target };
}

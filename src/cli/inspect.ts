import { AutofdoError } from '../errors.js';
import { INSPECT_FLAGS } from './flags.js';
import { parseFlags, UsageError } from './parse-args.js';
import { EXIT, print, printError } from './terminal.js';

/** Runs `inspect`; resolves to the exit status. */
export async function runInspect(args: readonly string[]): Promise<number> {
  let json = false;
  try {
    const { values, positionals } = parseFlags(args, INSPECT_FLAGS);
    if (values.get('help') === true) {
      print((await import('./help.js')).inspectHelp());
      return EXIT.ok;
    }
    json = values.get('json') === true;
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) {
      throw new UsageError(`expected one file, found ${positionals.length}`, 'autofdo-gen inspect perf.data');
    }
    const { inspectPerfData } = await import('../perf-data/inspect.js');
    const summary = await inspectPerfData(file);
    if (json) print(`${JSON.stringify(summary, null, 2)}\n`);
    else print((await import('../report/inspection.js')).inspectionText(summary));
    return EXIT.ok;
  } catch (error) {
    if (json && error instanceof AutofdoError) {
      print((await import('../report/json.js')).errorJson(error));
    }
    printError(error);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

import { AutofdoError } from '../errors.js';
import type { JobControl } from '../native.js';
import { DownloadLines, ProgressBar } from './progress-bar.js';
import { canRedraw, EXIT, print, printError } from './terminal.js';

/** A job of the command line. */
export interface CommandJob<T> {
  /** True if errors are printed as JSON to stdout, too. */
  json: boolean;
  /** True if no progress is shown. */
  quiet: boolean;
  run(control: JobControl): Promise<T>;
  /** Message about the files that remain after a signal, if some remain. */
  interrupted?: string;
  /** Prints the result. Returns an exit status other than 0, or `undefined` for 0. */
  report(result: T): Promise<number | undefined>;
}

/**
 * Time in milliseconds in which signals count as one. A process that npx starts gets a Ctrl-C from the terminal, and once
 * more from npx.
 */
const ONE_SIGNAL = 1000;

/**
 * Runs a job and shows its progress, until the job ends. The first signal aborts the job, and the second ends the
 * process. Resolves to the exit status.
 */
export async function runCommandJob<T>(job: CommandJob<T>): Promise<number> {
  const abort = new AbortController();
  let abortedAt = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    if (!abort.signal.aborted) {
      abortedAt = Date.now();
      abort.abort(new AutofdoError('ABORTED', `interrupted; ${job.interrupted ?? 'nothing was written'}`));
    } else if (Date.now() - abortedAt >= ONE_SIGNAL) {
      stopListening();
      process.kill(process.pid, signal);
    }
  };
  const stopListening = () => {
    process.removeListener('SIGINT', onSignal);
    process.removeListener('SIGTERM', onSignal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let bar: ProgressBar | undefined;
  // elfutils' client prints lines if this variable is set. A terminal shows the same on the progress bar.
  const lines = process.env['DEBUGINFOD_PROGRESS'] ? new DownloadLines(process.stderr) : undefined;
  try {
    const result = await job.run({
      signal: abort.signal,
      onProgress: job.quiet
        ? undefined
        : (progress) => {
            bar ??= canRedraw() ? new ProgressBar(process.stderr) : undefined;
            bar?.update(progress);
            if (bar === undefined) lines?.update(progress);
          },
    });
    bar?.clear();
    return (await job.report(result)) ?? EXIT.ok;
  } catch (error) {
    bar?.clear();
    if (job.json && error instanceof AutofdoError) {
      print((await import('../report/json.js')).errorJson(error));
    }
    printError(error);
    if (abort.signal.aborted) return EXIT.interrupted;
    return error instanceof AutofdoError && error.code === 'INVALID_OPTIONS' ? EXIT.usage : EXIT.failed;
  } finally {
    stopListening();
  }
}

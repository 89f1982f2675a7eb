import type { BindingOutcome } from '../native/binding/index.cjs';
import type { FetchedFiles } from './debuginfod/complete.js';
import { mayFetch } from './debuginfod/servers.js';
import { toAutofdoError } from './errors.js';
import { runGenerate } from './native.js';
import { type GenerateOptions, toBindingOptions } from './options/generate.js';
import type { EntryClass, GenerateResult } from './result.js';

/**
 * Generates an AutoFDO profile from branch samples.
 *
 * The work happens on threads of its own; the event loop stays free. Several jobs may run at the same time. The
 * output is written only if the whole job succeeds.
 *
 * Several binaries are profiled in one reading of the recordings. If one binary gets no profile, the reason is the
 * `error` of that binary, and the others still get theirs.
 *
 * @example
 * ```ts
 * const { statistics } = await generateProfile({ binary: 'vmlinux', perfData: 'perf.data', output: 'kernel.afdo' });
 * ```
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted (within 50 ms).
 */
export async function generateProfile(options: GenerateOptions): Promise<GenerateResult> {
  const binding = toBindingOptions(options);
  const run = async (fetched: FetchedFiles) =>
    toResult(await runGenerate({ ...binding, ...fetched }, options), options);
  if (!mayFetch(options)) return run({});
  const { withFetchedFiles } = await import('./debuginfod/complete.js');
  return withFetchedFiles(options, run);
}

/** Converts the addon's outcome to the result of this library. */
export function toResult(outcome: BindingOutcome, options: GenerateOptions): GenerateResult {
  const { entryClasses, ...statistics } = outcome.statistics;
  const ledger = Object.fromEntries(entryClasses.map(({ name, entries }) => [name, entries]));
  const [only, ...others] = outcome.binaries;
  const isOnly = only !== undefined && others.length === 0 && options.mergeBinaries !== true;
  return {
    output: options.output,
    bytes: outcome.bytes,
    size: outcome.size,
    statistics: { ...statistics, ledger: ledger as Record<EntryClass, bigint> },
    binaries: outcome.binaries.map((binary) => ({
      path: binary.path,
      name: binary.name,
      buildId: binary.buildId,
      output: binary.output,
      bytes: isOnly ? (binary.bytes ?? outcome.bytes) : binary.bytes,
      size: binary.size,
      statistics: binary.statistics,
      diagnostics: binary.diagnostics,
      error: binary.error && toAutofdoError(binary.error),
    })),
    diagnostics: outcome.diagnostics,
    timings: outcome.timings,
  };
}

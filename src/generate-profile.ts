import { runGenerate } from './native.js';
import { type GenerateOptions, toBindingOptions } from './options.js';
import type { EntryClass, GenerateResult } from './result.js';

/**
 * Generates an AutoFDO profile from branch samples.
 *
 * The work happens on threads of its own; the event loop stays free. Jobs may run at the same time. Nothing is
 * written unless the whole job succeeds.
 *
 * @example
 * ```ts
 * const { statistics } = await generateProfile({ binary: 'vmlinux', perfData: 'perf.data', output: 'kernel.afdo' });
 * ```
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted (within 50 ms).
 */
export async function generateProfile(options: GenerateOptions): Promise<GenerateResult> {
  const outcome = await runGenerate(toBindingOptions(options), options);
  const { entryClasses, ...statistics } = outcome.statistics;
  const ledger = Object.fromEntries(entryClasses.map(({ name, entries }) => [name, entries]));
  return {
    output: options.output,
    bytes: outcome.bytes,
    size: outcome.size,
    statistics: { ...statistics, ledger: ledger as Record<EntryClass, number> },
    diagnostics: outcome.diagnostics,
    timings: outcome.timings,
  };
}

import type { MergeResult } from './merge-profiles.js';
import { runMerge } from './native.js';
import { checkOptions, invalid } from './options/check.js';
import { CONVERT_OPTIONS, type ConvertOptions, toBindingMergeOptions } from './options/merge.js';

/** The result of a conversion. `diagnostics` tell what the new encoding cannot hold. */
export type ConvertResult = Omit<MergeResult, 'inputs' | 'skipped' | 'dropped'>;

/**
 * Writes a profile in another encoding or layout. Everything that the new encoding and layout can hold is kept.
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted.
 */
export async function convertProfile(options: ConvertOptions): Promise<ConvertResult> {
  checkOptions(options, CONVERT_OPTIONS);
  const { input, ...encoding } = options;
  if (typeof input !== 'string' || input === '')
    throw invalid('no input was given', 'name the profile in `input`');
  const merge = { ...toBindingMergeOptions({ ...encoding, inputs: [input] }), keepPartial: true };
  const {
    inputs: _inputs,
    skipped: _skipped,
    dropped: _dropped,
    ...outcome
  } = await runMerge(merge, options);
  return { ...outcome, output: options.output, bytes: outcome.bytes };
}

import type { MergeResult } from './merge-profiles.js';
import { runMerge } from './native.js';
import { checkOptions, invalid } from './options/check.js';
import { CONVERT_OPTIONS, type ConvertOptions, toBindingMergeOptions } from './options/merge.js';

/** What came of converting; `diagnostics` tell what the new encoding cannot hold. */
export type ConvertResult = Omit<MergeResult, 'inputs' | 'skipped' | 'dropped'>;

/**
 * Writes a profile in another encoding or layout. Nothing is lost that these can hold.
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

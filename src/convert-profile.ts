import { type MergeOptions, type MergeResult, toBindingMergeOptions } from './merge-profiles.js';
import { runMerge } from './native.js';

/** What to convert, and into what. */
export interface ConvertOptions
  extends Pick<
    MergeOptions,
    | 'output'
    | 'toStdout'
    | 'format'
    | 'useMd5'
    | 'compressAllSections'
    | 'dropProfileSymbolList'
    | 'convertSampleProfileLayout'
    | 'generateMergedBaseProfiles'
    | 'signal'
    | 'onProgress'
  > {
  /** A profile in any encoding; `-` is standard input. */
  input: string;
}

/** What came of converting; `diagnostics` tell what the new encoding cannot hold. */
export type ConvertResult = Omit<MergeResult, 'inputs' | 'skipped' | 'dropped'>;

/**
 * Writes a profile in another encoding or layout. Nothing is lost that these can hold.
 *
 * @throws AutofdoError with a stable `code`; or the signal's reason when `signal` is aborted.
 */
export async function convertProfile(options: ConvertOptions): Promise<ConvertResult> {
  const { input, ...encoding } = options;
  const merge = { ...toBindingMergeOptions({ ...encoding, inputs: [input] }), keepPartial: true };
  const {
    inputs: _inputs,
    skipped: _skipped,
    dropped: _dropped,
    ...outcome
  } = await runMerge(merge, options);
  return { ...outcome, output: options.output, bytes: outcome.bytes };
}

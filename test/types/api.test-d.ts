// Declares what the types of the library must allow and refuse. The compiler checks this file (`npm run lint`); it
// is never run.
import {
  AutofdoError,
  type AutofdoErrorCode,
  type Diagnostic,
  type DiagnosticCode,
  generateProfile,
  mergeProfiles,
  readProfile,
} from '../../src/index.js';

export async function options(): Promise<void> {
  await generateProfile({ binary: 'app', perfData: ['a', 'b'], samplePeriod: 1n, compat: 'llvm-profgen' });
  // @ts-expect-error: the name is perfData
  await generateProfile({ binary: 'app', perfdata: 'perf.data' });
  // @ts-expect-error: this encoding does not exist
  await generateProfile({ binary: 'app', perfData: 'perf.data', format: 'gcc' });
  // @ts-expect-error: inputs are required
  await mergeProfiles({ output: 'all.afdo' });
}

export async function counts(): Promise<bigint> {
  const { functions } = await readProfile('a.afdo');
  return functions.reduce((sum, { total }) => sum + total, 0n);
}

/** The codes are a union type, so a list of some codes is checked. */
export function isRetryable(error: unknown): boolean {
  return (
    error instanceof AutofdoError &&
    (['INPUT_UNREADABLE', 'OUTPUT_UNWRITABLE'] as AutofdoErrorCode[]).includes(error.code)
  );
}

export function damaged({ code }: Diagnostic): boolean {
  // @ts-expect-error: no diagnostic has this code
  if (code === 'input-damagd') return false;
  const known: DiagnosticCode = code;
  return known === 'input-damaged';
}

// Usage: node generate.mjs BINARY PERF.DATA OUTPUT
import { AutofdoError, type GenerateResult, generateProfile, readProfile } from 'autofdo-gen';

const [binary = '', perfData = '', output = ''] = process.argv.slice(2);
try {
  const result: GenerateResult = await generateProfile({ binary, perfData, output, format: 'text' });
  for (const { severity, message } of result.diagnostics) console.error(`${severity}: ${message}`);
  const { functions } = await readProfile(output);
  const hottest = functions.toSorted((a, b) => (b.total > a.total ? 1 : -1)).at(0);
  console.log(`${result.size} bytes; the hottest function is ${hottest?.name}`);
} catch (error) {
  if (!(error instanceof AutofdoError)) throw error;
  console.error(`${error.code}: ${error.message}\n${error.hint ?? ''}`);
  process.exitCode = 1;
}

// Usage: node generate.cjs BINARY PERF.DATA OUTPUT
import { writeFileSync } from 'node:fs';

import autofdo = require('autofdo-gen');

async function main([binary = '', perfData = '', output = '']: string[]): Promise<void> {
  const options: autofdo.GenerateOptions = { binary, perfData, format: 'text' };
  const { bytes } = await autofdo.generateProfile(options);
  if (bytes !== undefined) writeFileSync(output, bytes);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof autofdo.AutofdoError ? error.hint : error);
  process.exitCode = 1;
});

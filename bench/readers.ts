/** Measures the TypeScript readers on a fixture: `npm run bench:readers`. */
import { readFileSync } from 'node:fs';
import { inspectPerfData, parseProfile } from 'autofdo-gen';
import { Bench } from 'tinybench';

const FIXTURE = 'fixtures/calc-x86_64';
const text = readFileSync(`${FIXTURE}/expected.prof`);
const extbinary = readFileSync(`${FIXTURE}/expected.afdo`);

const bench = new Bench({ time: 500 });
bench
  .add('inspect perf.data', () => inspectPerfData(`${FIXTURE}/perf.data`))
  .add('parse text profile', () => {
    parseProfile(text);
  })
  .add('parse extbinary profile', () => {
    parseProfile(extbinary);
  });
await bench.run();
console.table(bench.table());

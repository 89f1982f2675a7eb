/**
 * Measures whole processes side by side in one run: this program, and other programs for the same job.
 *
 *   npm run bench                                        measures all tables, and first makes their inputs
 *   npm run bench -- --only NAME                         measures one table or several: merge, zstd (rows.ts has all names)
 *   npm run bench -- --record                            also writes the tables into RESULTS.md
 *   npm run bench -- --binary FILE --perfdata FILE       measures this input
 *   ... --turns N                                        sets the number of turns
 *
 * Ratios from one run can be compared between machines. Times cannot.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureInTurn } from './measure.js';
import { record } from './record.js';
import { type Bench, besideOthers, SECTIONS, type Section } from './rows.js';
import { CREATE, isInstalled, LLVM, version } from './tools.js';

const { values } = parseArgs({
  options: {
    binary: { type: 'string' },
    perfdata: { type: 'string' },
    only: { type: 'string', multiple: true },
    turns: { type: 'string', default: '5' },
    record: { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-bench-'));
const turns = Number(values.turns);
const bench: Bench = {
  output: (name) => join(folder, name.replaceAll(/\W/g, '-')),
  measure: (...commands) => measureInTurn(commands, turns),
};

function machine(): string {
  const [cpu] = cpus();
  const versions = [
    `Node ${process.version}`,
    version('rustc'),
    `${LLVM}: ${version(LLVM)}`,
    version('perf'),
  ];
  if (isInstalled(CREATE)) versions.push(CREATE);
  return (
    `Measured ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores of "${cpu?.model.trim()}", ` +
    `${Math.round(totalmem() / 2 ** 30)} GiB. ${versions.join(', ')}. Medians of ${turns} turns of a run, or of several ` +
    'while they take less than 1.5 s together; one run of what takes longer than 5 s. Files are in the page cache.\n'
  );
}

function chosen(): [string, Section][] {
  const { only } = values;
  for (const name of only ?? []) {
    if (!Object.hasOwn(SECTIONS, name))
      throw new Error(`--only ${name}: there are ${Object.keys(SECTIONS).join(', ')}`);
  }
  return Object.entries(SECTIONS).filter(([name]) => only?.includes(name) ?? true);
}

try {
  if (values.binary !== undefined && values.perfdata !== undefined) {
    const input = { name: basename(values.binary), binary: values.binary, perfData: values.perfdata };
    console.log(await besideOthers(bench, [input]));
  } else {
    for (const [name, { title, rows }] of chosen()) {
      const text = `### ${title}\n\n${machine()}\n${await rows(bench)}`;
      console.log(text);
      if (values.record) record(name, text);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

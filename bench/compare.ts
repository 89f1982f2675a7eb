/**
 * Whole processes side by side in one run: this program, llvm-profgen with the perf that it calls, and create_llvm_prof if there is one.
 *
 *   npm run bench                                        all inputs, which are recorded first
 *   npm run bench -- --record                            the same, and the tables go to RESULTS.md
 *   npm run bench -- --binary FILE --perfdata FILE       an input of one's own
 *   ... --turns N   --no-kernel
 *
 * Ratios of one run can be compared between machines, times cannot.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { calc, compressor, compressorWithChains, type Input, kernel, largeProgram } from './inputs.js';
import { type Command, type Measurement, measureInTurn } from './measure.js';
import { CREATE, createLlvmProf, isInstalled, LLVM, llvmProfgen, OURS, ours, version } from './tools.js';

const RESULTS = 'bench/RESULTS.md';
const BEGIN = '<!-- What follows is written by `npm run bench -- --record`. -->';
const END = '<!-- Written until here. -->';

const { values } = parseArgs({
  options: {
    binary: { type: 'string' },
    perfdata: { type: 'string' },
    turns: { type: 'string', default: '5' },
    record: { type: 'boolean', default: false },
    'no-kernel': { type: 'boolean', default: false },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-bench-'));
const turns = Number(values.turns);
const output = (name: string) => join(folder, name);

async function main(): Promise<string> {
  if (values.binary !== undefined && values.perfdata !== undefined) {
    const input = { name: basename(values.binary), binary: values.binary, perfData: values.perfdata };
    return besideOthers([input]);
  }
  const large = compressor(500);
  const kernels = values['no-kernel'] ? [] : [kernel(12)];
  const functions = largeProgram({ units: 16, functions: 1000 }, 150_000);
  const chains = compressorWithChains(310_000);
  const inputs = [
    calc(),
    ...[1, 10, 100].map(compressor),
    large,
    compressor(1000),
    chains,
    functions,
    ...kernels,
  ];
  return [
    machine(),
    '### Beside others, by input and binary\n',
    await besideOthers(inputs),
    '### By threads and by number of inputs\n',
    await byThreads(large, [1, 2, 10]),
    await byThreads(functions, [1]),
  ].join('\n');
}

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
    `${Math.round(totalmem() / 2 ** 30)} GiB. ${versions.join(', ')}. Medians of ${turns} turns of a run, or of several while they take less than 1.5 s together; files in the page cache.\n`
  );
}

/** A row for each input: time and memory of each tool, and whether the profiles are the same. */
async function besideOthers(inputs: readonly Input[]): Promise<string> {
  const others = [LLVM, CREATE].filter(isInstalled);
  const rows: string[][] = [];
  for (const input of inputs) {
    const commands = [
      ours(input, output('ours')),
      ...others.map((tool) => (tool === LLVM ? llvmProfgen : createLlvmProf)(input, output(tool))),
    ];
    const [own, ...measured] = await measure(input, commands);
    rows.push([
      input.name,
      megabytes(input.binary),
      megabytes(input.perfData),
      cost(own),
      ...measured.map(cost),
      ...measured.map((other) => times(other, own)),
      others.includes(LLVM) ? await compareProfiles(input) : 'not compared',
    ]);
  }
  const ratios = others.map((tool) => `${tool}: times slower, larger`);
  return table(['program', 'binary', 'perf.data', OURS, ...others, ...ratios, 'text profiles'], rows);
}

/** A row for each number of threads and of inputs. */
async function byThreads(input: Input, counts: readonly number[]): Promise<string> {
  const cases = counts.flatMap((count): [string, string[]][] => {
    const given = Array.from({ length: count - 1 }, () => `--perfdata=${input.perfData}`);
    const name = count === 1 ? '' : `given ${count} times, `;
    return [
      [`${name}one thread`, ['--jobs=1', ...given]],
      [`${name}two threads`, ['--jobs=2', ...given]],
    ];
  });
  const commands = cases.map(([, flags]) => ours(input, output('ours'), ...flags));
  const node: Command = { program: process.execPath, args: ['-e', '0'] };
  const [start, ...measured] = await measure(input, [node, ...commands]);
  const size = statSync(input.perfData).size;
  const rows = cases.map(([name, flags], index) => {
    const bytes = size * (1 + flags.filter((flag) => flag.startsWith('--perfdata')).length);
    const milliseconds = (measured[index]?.milliseconds ?? Number.NaN) - (start?.milliseconds ?? 0);
    return [name, cost(measured[index]), `${(bytes / 1e6 / milliseconds).toFixed(1)} GB/s`];
  });
  const heading = [`${input.name}, ${megabytes(input.perfData)}`, 'whole process', "without Node's start"];
  return table(heading, [...rows, ['Node alone (`node -e 0`)', cost(start), '']]);
}

async function measure(input: Input, commands: readonly Command[]): Promise<Measurement[]> {
  console.error(`${input.name}, ${megabytes(input.perfData)}`);
  return measureInTurn(commands, turns);
}

/** The outputs of the last runs; where they differ by a named deviation, `--compat` must make them equal. */
async function compareProfiles(input: Input): Promise<string> {
  const same = (name: string) => readFileSync(output(name)).equals(readFileSync(output(LLVM)));
  if (same('ours')) return 'equal';
  await measureInTurn([ours(input, output('compat'), '--compat=llvm-profgen')], 1);
  return same('compat') ? 'equal with `--compat`' : 'DIFFERENT';
}

const megabytes = (path: string) => {
  const size = statSync(path).size / 1e6;
  return `${size < 10 ? size.toPrecision(2) : size.toFixed(0)} MB`;
};

const cost = (one: Measurement | undefined) =>
  one ? `${one.milliseconds.toFixed(0)} ms, ${(one.memory / 2 ** 20).toFixed(0)} MiB` : '';

const times = (other: Measurement, own: Measurement | undefined) =>
  own
    ? `${(other.milliseconds / own.milliseconds).toFixed(1)}, ${(other.memory / own.memory).toFixed(1)}`
    : '';

function table(heading: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [heading, heading.map(() => '---'), ...rows].map(line).join('');
}

try {
  const tables = await main();
  console.log(tables);
  if (values.record) {
    const [before, rest] = readFileSync(RESULTS, 'utf8').split(BEGIN);
    writeFileSync(RESULTS, `${before}${BEGIN}\n\n${tables}\n${END}${rest?.split(END)[1] ?? '\n'}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

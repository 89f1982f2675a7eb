/** The tables of bench/RESULTS.md. `--only NAME` measures the table with that name. */
import { readFileSync, statSync } from 'node:fs';
import {
  calc,
  compressedCompressor,
  compressor,
  compressorWithChains,
  type Input,
  largeProgram,
  printedCompressor,
  sampledCompressor,
  shuffledChains,
} from './inputs.js';
import { builtKernel, kernel, kernelProfiles, kernelWithModules, moreNames } from './kernels.js';
import type { Command, Measurement } from './measure.js';
import { cost, megabytes, table, times } from './tables.js';
import {
  CREATE,
  command,
  createLlvmProf,
  DWARFDUMP,
  isInstalled,
  LLVM,
  llvmProfgen,
  node,
  OURS,
  ours,
  PERF2BOLT,
  PROFDATA,
} from './tools.js';

/** Tools for measuring a table. */
export interface Bench {
  /** Measures medians of commands that take turns. */
  measure(...commands: Command[]): Promise<Measurement[]>;
  /** Returns the path of an output file with this name. */
  output(name: string): string;
}

export interface Section {
  title: string;
  rows: (bench: Bench) => Promise<string>;
}

export const SECTIONS: Record<string, Section> = {
  start: { title: "The smallest jobs, beside Node's start", rows: start },
  programs: {
    title: 'Programs, by size of the recording',
    rows: (bench) => besideOthers(bench, [calc(), ...[1, 10, 100, 500, 1000].map(compressor)]),
  },
  threads: {
    title: 'By threads and by number of inputs',
    rows: (bench) => byThreads(bench, compressor(500), [1, 2, 10]),
  },
  addresses: { title: 'Sampled addresses, beside branch stacks', rows: addresses },
  zstd: { title: 'Recordings of `perf record -z`', rows: zstd },
  script: { title: 'Text of `perf script`', rows: script },
  chains: {
    title: 'Recordings with call chains',
    rows: (bench) => besideOthers(bench, [compressorWithChains(310_000)]),
  },
  traces: { title: 'Trace shards, beside recordings', rows: traceShards },
  functions: { title: 'Many functions, and many more', rows: manyFunctions },
  kernel: {
    title: "Debian's kernel",
    rows: (bench) => besideOthers(bench, [kernel()]),
  },
  'built-kernel': { title: 'A kernel that clang built', rows: ofBuiltKernel },
  modules: { title: 'A kernel and its modules in one run', rows: withModules },
  merge: { title: 'Merging profiles', rows: merging },
  bolt: { title: "BOLT's profile, beside perf2bolt", rows: forBolt },
  'other-commands': { title: '`doctor`, `show` and `overlap`', rows: otherCommands },
};

/** Measures a row for each input: the time and memory of each tool, and whether the profiles are equal. */
export async function besideOthers(bench: Bench, inputs: readonly Input[]): Promise<string> {
  const others = [LLVM, CREATE].filter(isInstalled);
  const rows: string[][] = [];
  for (const input of inputs) {
    const [own, ...measured] = await bench.measure(
      ours(input, bench.output('ours')),
      ...others.map((tool) => (tool === LLVM ? llvmProfgen : createLlvmProf)(input, bench.output(tool))),
    );
    rows.push([
      input.name,
      megabytes(input.binary),
      megabytes(input.perfData),
      cost(own),
      ...measured.map(cost),
      ...measured.map((other) => times(other, own)),
      others.includes(LLVM) ? await compareProfiles(bench, input) : 'not compared',
    ]);
  }
  const ratios = others.map((tool) => `${tool}: times slower, larger`);
  return table(['program', 'binary', 'perf.data', OURS, ...others, ...ratios, 'text profiles'], rows);
}

/**
 * Compares the outputs of the last runs. If they differ by a documented difference, they must be equal with
 * `--compat`.
 */
async function compareProfiles({ output, measure }: Bench, input: Input): Promise<string> {
  if (same(output('ours'), output(LLVM))) return 'equal';
  await measure(ours(input, output('compat'), '--compat=llvm-profgen'));
  return same(output('compat'), output(LLVM)) ? 'equal with `--compat`' : 'DIFFERENT';
}

const same = (a: string, b: string) => readFileSync(a).equals(readFileSync(b));

async function start({ measure, output }: Bench): Promise<string> {
  const cases: [string, Command][] = [
    ['Node alone (`node -e 0`)', node],
    ['`--version`', command('--version')],
    ['`--help`', command('--help')],
    ['the profile of calc, a fixture', ours(calc(), output('ours'))],
  ];
  const measured = await measure(...cases.map(([, one]) => one));
  const [alone] = measured;
  const rows = cases.map(([name], index) => [name, cost(measured[index]), longer(measured[index], alone)]);
  return table(['job', 'time, memory', 'times as long as Node alone'], rows);
}

const longer = (one: Measurement | undefined, base: Measurement | undefined) =>
  ((one?.milliseconds ?? Number.NaN) / (base?.milliseconds ?? Number.NaN)).toFixed(2);

/** Measures a row for each number of threads and of inputs. */
async function byThreads(
  { measure, output }: Bench,
  input: Input,
  counts: readonly number[],
): Promise<string> {
  const cases = counts.flatMap((count): [string, string[]][] => {
    const given = Array.from({ length: count - 1 }, () => `--perfdata=${input.perfData}`);
    const name = count === 1 ? '' : `given ${count} times, `;
    return [
      [`${name}one thread`, ['--jobs=1', ...given]],
      [`${name}two threads`, ['--jobs=2', ...given]],
    ];
  });
  const commands = cases.map(([, flags]) => ours(input, output('ours'), ...flags));
  const [alone, ...measured] = await measure(node, ...commands);
  const size = statSync(input.perfData).size;
  const rows = cases.map(([name, flags], index) => {
    const bytes = size * (1 + flags.filter((flag) => flag.startsWith('--perfdata')).length);
    const milliseconds = (measured[index]?.milliseconds ?? Number.NaN) - (alone?.milliseconds ?? 0);
    return [name, cost(measured[index]), `${(bytes / 1e6 / milliseconds).toFixed(1)} GB/s`];
  });
  const heading = [`${input.name}, ${megabytes(input.perfData)}`, 'whole process', "without Node's start"];
  return table(heading, [...rows, ['Node alone (`node -e 0`)', cost(alone), '']]);
}

/** Measures inputs with one thread and with two. The last column compares each input with the first one. */
async function besideFirst({ measure, output }: Bench, inputs: readonly Input[]): Promise<string[][]> {
  const cases = inputs.flatMap((input) => [1, 2].map((jobs) => ({ input, jobs })));
  const measured = await measure(
    ...cases.map(({ input, jobs }) => ours(input, output(input.name), `--jobs=${jobs}`)),
  );
  return cases.map(({ input, jobs }, index) => [
    input.name,
    megabytes(input.perfData),
    `${jobs}`,
    cost(measured[index]),
    longer(measured[index], measured[jobs - 1]),
  ]);
}

async function zstd(bench: Bench): Promise<string> {
  const inputs = [compressor(500), compressedCompressor(500)] as const;
  const rows = await besideFirst(bench, inputs);
  const equal = same(bench.output(inputs[0].name), bench.output(inputs[1].name)) ? 'equal' : 'DIFFERENT';
  const heading = ['program', 'perf.data', 'threads', OURS, 'times as long as uncompressed', 'profiles'];
  return table(
    heading,
    rows.map((row) => [...row, equal]),
  );
}

async function addresses(bench: Bench): Promise<string> {
  const rows = await besideFirst(bench, [compressor(500), sampledCompressor(500)]);
  return table(['program', 'perf.data', 'threads', OURS, 'times as long as stacks'], rows);
}

async function script({ measure, output }: Bench): Promise<string> {
  const input = printedCompressor(500);
  const args = (name: string) => [
    `--binary=${input.binary}`,
    `--perfscript=${input.script}`,
    '--format=text',
    `--output=${output(name)}`,
  ];
  const [own, other] = await measure(
    command(...args('ours')),
    ...(isInstalled(LLVM) ? [{ program: LLVM, args: args(LLVM) }] : []),
  );
  const equal = other && (same(output('ours'), output(LLVM)) ? 'equal' : 'DIFFERENT');
  const row = [
    input.name,
    megabytes(input.script),
    cost(own),
    cost(other),
    times(other, own),
    equal ?? 'not compared',
  ];
  return table(['program', 'text', OURS, LLVM, 'times slower, larger', 'profiles'], [row]);
}

/** Measures a profile of each recording, the collection of its traces, and the profile of the traces. */
async function traceShards({ measure, output }: Bench): Promise<string> {
  const inputs = [
    compressor(500),
    compressorWithChains(310_000),
    shuffledChains(310_000),
    largeProgram({ units: 16, functions: 1000 }, 150_000),
    kernel(),
  ];
  const rows: string[][] = [];
  for (const { name, binary, perfData } of inputs) {
    const shard = `${output('shard')}.parquet`;
    const profile = (of: string, from: string) =>
      command('--quiet', `--binary=${binary}`, `--${of}=${from}`, `--output=${output(of)}`);
    const measured = await measure(
      profile('perfdata', perfData),
      command('collect', '--quiet', `--perfdata=${perfData}`, `--output=${shard}`),
      profile('traces', shard),
    );
    const part = statSync(perfData).size / statSync(shard).size;
    const equal = same(output('perfdata'), output('traces')) ? 'equal' : 'DIFFERENT';
    rows.push([
      name,
      megabytes(perfData),
      ...measured.map(cost),
      megabytes(shard),
      `1/${part.toFixed(0)}`,
      equal,
    ]);
  }
  const costs = ['generate', 'collect', 'profile from the shard'];
  return table(['program', 'perf.data', ...costs, 'shard', 'of the recording', 'profiles'], rows);
}

/**
 * Measures 16,000 functions, then four times as many branch stacks, then four times as many functions; and two
 * threads beside one.
 */
async function manyFunctions(bench: Bench): Promise<string> {
  const size = { units: 16, functions: 1000 };
  const inputs = [
    largeProgram(size, 150_000),
    largeProgram(size, 600_000),
    largeProgram({ ...size, units: 64 }, 150_000),
  ];
  const first = inputs.slice(0, 1);
  return [
    await besideOthers(bench, inputs),
    ...(await Promise.all(first.map((input) => byThreads(bench, input, [1])))),
  ].join('\n');
}

async function ofBuiltKernel(bench: Bench): Promise<string> {
  const input = builtKernel();
  return input
    ? besideOthers(bench, [input])
    : 'Not measured: `AUTOFDO_KERNEL_TREE` names no folder in which clang built a kernel.\n';
}

async function withModules({ measure, output }: Bench): Promise<string> {
  const { input, modules } = kernelWithModules();
  const recording = `--perfdata=${input.perfData}`;
  const binaries = modules.map((path) => `--binary=${path}`);
  const alone = [`--binary=${input.binary}`, recording, `--output=${output('vmlinux')}`];
  const together = [`--binary=${input.binary}`, ...binaries, recording, `--output=${output('all')}`];
  const measured = await measure(command(...alone), command(...together));
  const names = ['vmlinux alone', `vmlinux and ${modules.length} modules`];
  const rows = names.map((name, index) => [
    name,
    megabytes(input.perfData),
    cost(measured[index]),
    longer(measured[index], measured[0]),
  ]);
  return table(['binaries', 'perf.data', OURS, 'times as long as vmlinux alone'], rows);
}

async function merging({ measure, output }: Bench): Promise<string> {
  const files = kernelProfiles(300);
  const many = moreNames(files, 10_000);
  const args = (inputs: readonly string[], name: string) => ['merge', ...inputs, '-o', output(name)];
  const measured = await measure(
    node,
    command(...args(files, 'ours')),
    command(...args(many, 'many')),
    ...(isInstalled(PROFDATA)
      ? [{ program: PROFDATA, args: ['merge', '--sample', '--extbinary', ...args(files, PROFDATA).slice(1)] }]
      : []),
  );
  const [alone, own, ofMany, other] = measured;
  const each = (one: Measurement | undefined, count: number) =>
    one ? `${((one.milliseconds - (alone?.milliseconds ?? 0)) / count).toFixed(2)} ms` : '';
  const equal = other && (same(output('ours'), output(PROFDATA)) ? 'equal' : 'DIFFERENT');
  const of = `${files.length} profiles of the kernel, ${megabytes(files[0] ?? '')} each`;
  const names = `${many.length} names of these`;
  return table(
    ['profiles', OURS, 'a file, without Node', PROFDATA, 'times slower, larger', 'results'],
    [
      [of, cost(own), each(own, files.length), cost(other), times(other, own), equal ?? 'not compared'],
      [names, cost(ofMany), each(ofMany, many.length), 'not run', '', ''],
    ],
  );
}

/** Measures both formats for BOLT. perf2bolt's result has the same lines as `--format=fdata`. */
async function forBolt({ measure, output }: Bench): Promise<string> {
  const { name, binary, perfData } = compressor(500);
  const own = (format: string) =>
    command(
      `--binary=${binary}`,
      `--perfdata=${perfData}`,
      `--format=${format}`,
      `--output=${output(format)}`,
    );
  const theirs = { program: PERF2BOLT, args: ['-p', perfData, '-o', output(PERF2BOLT), binary] };
  const formats = ['fdata', 'preaggregated'];
  const measured = await measure(...formats.map(own), ...(isInstalled(PERF2BOLT) ? [theirs] : []));
  const other = measured[formats.length];
  const equal = other && (same(output('fdata'), output(PERF2BOLT)) ? 'equal' : 'DIFFERENT');
  const rows = formats.map((format, index) => [
    name,
    megabytes(perfData),
    `\`${format}\``,
    cost(measured[index]),
    cost(other),
    times(other, measured[index]),
    format === 'fdata' ? (equal ?? 'not compared') : '',
  ]);
  const heading = ['program', 'perf.data', 'format', OURS, PERF2BOLT, 'times slower, larger', 'results'];
  return table(heading, rows);
}

/** Measures other commands beside the LLVM commands that examine the same things. Their outputs differ. */
async function otherCommands({ measure }: Bench): Promise<string> {
  const { binary } = kernel();
  const [a = '', b = ''] = kernelProfiles(300);
  const pairs: [string, Command, Command][] = [
    [
      '`doctor` on a vmlinux; all DIEs of units',
      command('doctor', '--binary', binary),
      { program: DWARFDUMP, args: ['--debug-info', '--recurse-depth=0', binary] },
    ],
    [
      '`show` of a profile',
      command('show', a),
      { program: PROFDATA, args: ['show', '--sample', '--detailed-summary', a] },
    ],
    [
      '`overlap` of two',
      command('overlap', a, b),
      { program: PROFDATA, args: ['overlap', '--sample', a, b] },
    ],
  ];
  const rows: string[][] = [];
  for (const [name, own, other] of pairs) {
    const [ours, alone, theirs] = await measure(own, node, ...(isInstalled(other.program) ? [other] : []));
    rows.push([name, cost(ours), cost(alone), other.program, cost(theirs), times(theirs, ours)]);
  }
  return table(['job', OURS, '`node -e 0`', 'beside', 'time, memory', 'times slower, larger'], rows);
}

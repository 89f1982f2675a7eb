import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS, type CommandName } from '../../src/cli/flags.js';
import {
  AutofdoError,
  collectTraces,
  compareProfiles,
  convertProfile,
  describeProfile,
  diagnoseBinary,
  type Finding,
  type GenerateOptions,
  generateProfile,
  inspectPerfData,
  inspectTraces,
  mergeProfiles,
  report,
} from '../../src/index.js';
import { referencesIn, worded } from '../../src/options/wording.js';
import { fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';
import { unexpectedFiles } from '../support/unexpected-files.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const { files, profile } = unexpectedFiles(temporary);

/**
 * Returns the flags in a text, and references that were not resolved. Text in backquotes is skipped, because it
 * has commands of other programs.
 */
function flagsIn(text: string): string[] {
  const ours = [...text.matchAll(/`autofdo-gen[^`]*--[^`]*`/g)].map(([command]) => command);
  return [...ours, ...(text.replace(/`[^`]*`/g, '').match(/(?<![\w-])--[a-z][a-z0-9-]*/g) ?? [])];
}

interface Told {
  diagnostics?: { message: string }[];
  findings?: { message: string; hint?: string }[];
  binaries?: { diagnostics: { message: string }[]; error: AutofdoError | undefined }[];
  recording?: { error: { message: string; hint: string | undefined } | undefined } | undefined;
  skipped?: { message: string }[];
}

/** Returns all texts of a job, whether it fails or not. */
async function textsOf(job: Promise<unknown>): Promise<string[]> {
  const words = (told: { message: string; hint?: string | undefined } | undefined) =>
    told === undefined ? [] : [told.message, told.hint ?? ''];
  try {
    const told = (await job) as Told;
    return [
      ...(told.diagnostics ?? []),
      ...(told.findings ?? []),
      ...(told.binaries ?? []).flatMap((binary) => [...binary.diagnostics, binary.error]),
      told.recording?.error,
      ...(told.skipped ?? []),
    ].flatMap(words);
  } catch (error) {
    if (!(error instanceof AutofdoError)) throw error;
    return words(error);
  }
}

describe('a caller of the library reads names of fields', () => {
  for (const [what, file] of Object.entries(files)) {
    it(`about ${what}`, async () => {
      const { binary } = calc;
      const output = join(temporary.path, 'x');
      const jobs = [
        generateProfile({ binary, perfData: file }),
        generateProfile({ binary: file, perfData: calc.perfData }),
        generateProfile({ binary, perfScript: file }),
        generateProfile({ binary, traces: file }),
        generateProfile({ binary, unsymbolizedProfile: file }),
        generateProfile({ binary, llvmSampleProfile: file }),
        diagnoseBinary({ binary: file }),
        diagnoseBinary({ binary, perfData: file }),
        collectTraces({ perfData: file, output: `${output}.parquet` }),
        inspectPerfData(file),
        inspectTraces(file),
        mergeProfiles({ inputs: [file, profile] }),
        mergeProfiles({ inputs: [file, profile], keepGoing: true, convertSampleProfileLayout: 'nest' }),
        describeProfile({ path: file }),
        compareProfiles({ base: file, test: profile }),
        convertProfile({ input: file, sampleMergeColdContext: true } as { input: string }),
        convertProfile({ input: file }),
      ];
      const texts = (await Promise.all(jobs.map(textsOf))).flat();
      expect(texts.length).toBeGreaterThan(10);
      expect(texts.filter((text) => flagsIn(text).length > 0 || text.includes('{--'))).toEqual([]);
    }, 60_000);
  }

  const both = [calc.binary, fixture('shapes-cpp').binary];
  const { perfData } = calc;
  const contradictions: [Partial<GenerateOptions>, RegExp][] = [
    [{ binary: both, perfData, debugBinary: 'a' }, /^`debugBinary` and `dwp` name files of one binary/],
    [{ binary: both, unsymbolizedProfile: 'a' }, /Name recordings with `perfData`, or one binary/],
    [
      { perfData, format: 'preaggregated', leadingIpOnly: true },
      /Leave out `skipSymbolization` and `leading/,
    ],
    [{ perfData, event: 'none' }, /Name one of these with `event`/],
    [{ perfScript: perfData, time: [0n, 1n] }, /^`time` cannot select samples of a text/],
    [{ traces: perfData, pid: 1 }, /`collectTraces\(\{ pid, tid, cpu, time \}\)`/],
    [{ traces: perfData, compat: 'llvm-profgen' }, /^`compat: 'llvm-profgen'` follows mappings/],
    [{ perfData, pid: 1, compat: 'llvm-profgen', skipSymbolization: true }, /./],
    [{ perfData, pid: 1 }, /Check `event`, `pid`, `tid`, `cpu` and `time`/],
  ];
  it.each(contradictions)('about %o', async (options, said) => {
    const texts = await textsOf(generateProfile({ binary: calc.binary, ...options } as GenerateOptions));
    expect(texts.join('\n')).toMatch(new RegExp(said, 'm'));
    expect(texts.flatMap(flagsIn)).toEqual([]);
  });
});

/** Options of files that do not exist, of files without use, and of contradictions. */
const MISTAKES: [string, () => Promise<unknown>][] = [
  ['no binary', () => generateProfile({ perfData: 'x' } as GenerateOptions)],
  ['no input', () => generateProfile({ binary: 'x' } as GenerateOptions)],
  ['a missing binary', () => generateProfile({ binary: 'x', perfData: calc.perfData })],
  ['a missing recording', () => inspectPerfData('x')],
  ['no recording', () => inspectPerfData('')],
  ['a missing shard', () => inspectTraces('x')],
  ['no recording to collect', () => collectTraces({ perfData: [], output: 'x' })],
  ['no output of a collection', () => collectTraces({ perfData: 'x', output: '' })],
  ['no profile', () => mergeProfiles({ inputs: [] })],
  ['several profiles with a base', () => report({ profile: ['x', 'y'], base: 'z' })],
  ['a missing package', () => diagnoseBinary({ binary: calc.binary, dwp: 'x' })],
  ['standard input twice', () => mergeProfiles({ inputs: ['-', '-'] })],
  ['a package that is not used', () => diagnoseBinary({ binary: calc.binary, dwp: calc.perfData })],
  [
    'another recording',
    () => diagnoseBinary({ binary: fixture('life-rust').binary, perfData: calc.perfData }),
  ],
  ['an unknown option', () => describeProfile({ path: 'x', tops: 1 } as { path: string })],
  ['a wrong value', () => describeProfile({ path: 'x', top: -1 })],
];
it.each([
  ...MISTAKES,
  ...Object.entries(files).flatMap(([what, file]): typeof MISTAKES => [
    [`${what} as a binary`, () => diagnoseBinary({ binary: file })],
    [`${what} as a recording`, () => generateProfile({ binary: calc.binary, perfData: file })],
    [`${what} as traces`, () => generateProfile({ binary: calc.binary, traces: file })],
    [`${what} as a profile`, () => mergeProfiles({ inputs: [file] })],
  ]),
])('a remedy is a sentence: %s', async (_, job) => {
  const remedies = (told: { hint?: string | undefined }[]) => told.flatMap(({ hint }) => hint ?? []);
  const found = await job().then(
    (told) => remedies((told as { findings?: Finding[] }).findings ?? []),
    (error: AutofdoError) => remedies([error]),
  );
  for (const hint of found)
    expect(hint).toMatch(/^(?:[A-Z`'-].*[.?!]\)?|(?:npx |autofdo-gen |docs\/).*[.?!`)])$/s);
});

it('options, values and calls have the names of the library', () => {
  expect(worded('Name one with {--binary}.')).toBe('Name one with `binary`.');
  expect(worded('Use {--samples=addresses}.')).toBe("Use `samples: 'addresses'`.");
  expect(worded('{generate --binary --perfscript} helps')).toBe(
    '`generateProfile({ binary, perfScript })` helps',
  );
  expect(worded('a file {x} and {--} and `perf --all`')).toBe('a file {x} and {--} and `perf --all`');
});

/** Returns the string literals of a source, without its comments. */
const strings = (code: string) =>
  (
    code.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '').match(/"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\\n]|\\.)*'/g) ?? []
  ).map((text) =>
    text
      .replaceAll(/\\\n\s*/g, '')
      .replaceAll('{{', '{')
      .replaceAll('}}', '}'),
  );

/** Warnings in llvm-profgen's words. Callers get them if they use `compat`. */
const LLVM_WORDS = [
  'A --perf-event filter was specified',
  'No --perf-event filter was specified',
  'the --profile-density-cutoff-hot option is set too low',
  'Specify --format=extbinary to enable it',
];

it('the sources name options by references, and only options that a command has', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const under = (folder: string, wanted: RegExp) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => wanted.test(file))
      .map((file) => join(root, folder, file));
  const rust = under('native/crates', /^\w+\/src\/.*\.rs$/);
  // Texts of the command line itself may name its flags.
  const typescript = under(
    'src',
    /^(?!cli\/|options\/|report\/|diagnosis\/next-steps|diagnosis\/toolchains).*\.ts$/,
  );
  expect(Math.min(rust.length, typescript.length * 4)).toBeGreaterThan(100);
  const flags = (command: CommandName) => COMMANDS[command].flags.map(({ name }) => name);
  const all = (Object.keys(COMMANDS) as CommandName[]).flatMap(flags);
  const strange: string[] = [];
  let references = 0;
  for (const file of [...rust, ...typescript]) {
    const [code = ''] = readFileSync(file, 'utf8').split('#[cfg(test)]');
    for (const text of strings(code)) {
      const named = referencesIn(text);
      references += named.length;
      const unknown = named.filter(({ command, flag }) =>
        command === undefined ? !all.includes(flag) : !flags(command as CommandName).includes(flag),
      );
      const bare = LLVM_WORDS.some((words) => text.includes(words)) ? [] : flagsIn(worded(text));
      if (unknown.length > 0 || bare.length > 0) strange.push(`${file}: ${text}`);
    }
  }
  expect(strange).toEqual([]);
  expect(references).toBeGreaterThan(80);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { llvmProfgen, type Outcome, ours, oursCompatible } from './generators.js';
import { built, type Program, type Recording, recorded } from './program.js';
import { cli, run, testWith } from './tools.js';

interface Mode {
  name: string;
  flags: readonly string[];
  /** True if the outputs are compared as text, so that a difference can be read. */
  text?: boolean;
}

/** Modes of output that cover everything that profiles without contexts have. */
export const MODES: readonly Mode[] = [
  { name: 'text', flags: ['--format=text'], text: true },
  { name: 'extbinary', flags: ['--format=extbinary'] },
  { name: 'binary', flags: ['--format=binary'] },
  { name: 'MD5 names', flags: ['--use-md5'] },
  { name: 'symbol list', flags: ['--populate-profile-symbol-list'] },
  { name: 'counters', flags: ['--skip-symbolization'], text: true },
  { name: 'counters at addresses', flags: ['--skip-symbolization', '--use-offset=0'], text: true },
  {
    name: 'counters from the first segment',
    flags: ['--skip-symbolization', '--use-first-loadable-segment-as-base'],
    text: true,
  },
  { name: 'zero fill', flags: ['--format=text', '--fill-zero-for-all-funcs'], text: true },
  { name: 'updated totals', flags: ['--format=text', '--update-total-samples'], text: true },
  { name: 'trimmed', flags: ['--format=text', '--trim-cold-profile'], text: true },
  {
    name: 'trimmed by count',
    flags: ['--format=text', '--trim-cold-profile', '--profile-summary-cold-count=5000'],
    text: true,
  },
  { name: 'detailed', flags: ['--format=text', '--show-density'], text: true },
];

/** Modes whose output does not depend on a documented difference. */
export const DEFAULT_MODES = MODES.filter(({ name }) => name === 'text' || name === 'extbinary');

/** Modes of output for pseudo-probe profiles. The raw binary form cannot hold them. */
const PROBE_MODES = MODES.filter(({ name }) => name !== 'binary').concat(
  { name: 'zero fill, MD5 names', flags: ['--fill-zero-for-all-funcs', '--use-md5'] },
  {
    name: 'without functions from symbols',
    flags: ['--format=text', '--load-function-from-symbol=0'],
    text: true,
  },
);

/** Fails unless both generators wrote the same output. */
export function expectSame(found: Outcome, expected: Outcome, text: boolean): void {
  if (found.output === undefined) expect.fail(`nothing was written:\n${found.stderr}`);
  if (text) expect(found.output.toString()).toBe(expected.output?.toString());
  else expect(found.output.equals(expected.output ?? Buffer.of()), 'bytes are equal').toBe(true);
  expect(found.status).toBe(expected.status);
}

/**
 * Fails unless both extbinary files hold the same profile. llvm-profgen writes the checksums, which come last, in
 * the order of a hash table; llvm-profdata tells whether the checksums are equal.
 */
export function expectSameButForOrder(found: Outcome, expected: Outcome, folder: string): void {
  if (found.output === undefined) expect.fail(`nothing was written:\n${found.stderr}`);
  const theirs = expected.output ?? Buffer.of();
  const checksums = Number(theirs.readBigUInt64LE(METADATA_OFFSET));
  expect(found.output.length).toBe(theirs.length);
  const before = [found.output, theirs].map((bytes) => bytes.subarray(0, checksums));
  expect(before[0]?.equals(before[1] ?? Buffer.of()), 'all other sections are equal').toBe(true);
  const texts = [found.output, theirs].map((bytes) => {
    writeFileSync(join(folder, 'to-compare'), bytes);
    const done = run('llvm-profdata-22', ['merge', '--sample', '--text', 'to-compare', '-o', '-'], folder);
    expect(done.status).toBe(0);
    return done.stdout;
  });
  expect(texts[0]).toBe(texts[1]);
  expect(found.status).toBe(expected.status);
}

/** Place of the offset in the last of the seven entries of the section table. */
const METADATA_OFFSET = 18 + 6 * 32 + 16;

/** Tests that a program's profiles equal llvm-profgen's, in every mode. */
export function compareProgram(program: Program): void {
  const inputFlags = ({ binary, perfData }: Recording) => [
    `--binary=${binary}`,
    `--perfdata=${perfData}`,
    ...(program.flags ?? []),
  ];
  const tools = program.tools ?? [];
  const compare = (found: Outcome, expected: Outcome, text: boolean, folder: string) =>
    program.probes && !text
      ? expectSameButForOrder(found, expected, folder)
      : expectSame(found, expected, text);

  describe(program.name, () => {
    for (const { name, flags, text = false } of program.probes ? PROBE_MODES : MODES) {
      testWith(tools, `${name}, --compat`, () => {
        const recording = recorded(program);
        const all = [...inputFlags(recording), ...flags];
        const theirs = llvmProfgen(recording.folder, all);
        const compatible = oursCompatible(recording.folder, all);
        compare(compatible, theirs, text, recording.folder);
        expect(compatible.warnings).toEqual(theirs.warnings);
        if (name === 'text') expect(theirs.output?.length, 'llvm-profgen found samples').toBeGreaterThan(0);
      });
    }

    testWith(tools, 'from counters, --compat', () => {
      const recording = recorded(program);
      const counters = llvmProfgen(recording.folder, [...inputFlags(recording), '--skip-symbolization']);
      writeFileSync(join(recording.folder, 'counters'), counters.output ?? '');
      const flags = [`--binary=${recording.binary}`, '--unsymbolized-profile=counters', '--format=text'];
      const all = [...flags, ...(program.flags ?? [])];
      expectSame(oursCompatible(recording.folder, all), llvmProfgen(recording.folder, all), true);
    });

    testWith(tools, 'from traces', () => {
      const { folder, binary, perfData } = recorded(program);
      compareTraces(folder, perfData, [`--binary=${binary}`, ...(program.flags ?? [])]);
    });

    if (program.deviates) return;
    for (const { name, flags, text = false } of DEFAULT_MODES) {
      testWith(tools, `${name}, default`, () => {
        const recording = recorded(program);
        const all = [...inputFlags(recording), ...flags];
        compare(ours(recording.folder, all), llvmProfgen(recording.folder, all), text, recording.folder);
      });
    }
  });
}

/** Modes in which profiles from traces are compared. Counters show differences that attribution would hide. */
const TRACE_MODES = MODES.filter(({ name }) => ['text', 'extbinary', 'counters'].includes(name));

/** Fails unless the traces of a recording give the same result as the recording: every byte and every warning. */
export function compareTraces(folder: string, perfData: string, flags: readonly string[]): void {
  const traces = `${perfData}.parquet`;
  const collected = run(
    process.execPath,
    [cli, 'collect', '--perfdata', perfData, '-o', traces, '-q'],
    folder,
  );
  expect(collected.stderr).toBe('');
  for (const mode of TRACE_MODES) {
    const recorded = ours(folder, [`--perfdata=${perfData}`, ...flags, ...mode.flags]);
    const traced = ours(folder, [`--traces=${traces}`, ...flags, ...mode.flags]);
    expectSame(traced, recorded, mode.text ?? false);
    expect(traced.warnings).toEqual(recorded.warnings);
  }
}

/** Flags that choose the parts of a listing. */
const LISTINGS: readonly (readonly string[])[] = [
  [],
  ['--x86-asm-syntax=intel'],
  ['--show-source-locations'],
  ['--show-source-locations', '--show-canonical-fname', '-x86-asm-syntax=intel'],
  ['--show-pseudo-probe', '--show-source-locations'],
  ['--show-pseudo-probe', '--disassemble-functions=main,_Z6rotatej'],
];

/** Tests that a program's code is listed as llvm-profgen lists it, byte for byte. */
export function compareListing(program: Program): void {
  describe(program.name, () => {
    for (const shown of LISTINGS) {
      testWith(program.tools ?? [], shown.join(' ') || 'plain', () => {
        const folder = built(program);
        const flags = [`--binary=${program.binary ?? 'program'}`, '--show-disassembly-only', ...shown];
        const theirs = llvmProfgen(folder, flags);
        const compatible = oursCompatible(folder, flags);
        expect(theirs.stdout.length).toBeGreaterThan(0);
        // `toBe` is not used, because it takes minutes to show the difference of two texts of a million lines.
        expect(firstDifference(compatible.stdout, theirs.stdout)).toBeUndefined();
        expect(compatible.warnings).toEqual(theirs.warnings);
        expect(compatible.status).toBe(theirs.status);
        expect(compatible.output).toBe(theirs.output);
      });
    }
  });
}

function firstDifference(found: string, expected: string): { found?: string; expected?: string } | undefined {
  if (found === expected) return undefined;
  const [ours, theirs] = [found.split('\n'), expected.split('\n')];
  const line = theirs.findIndex((text, index) => text !== ours[index]);
  const at = line < 0 ? theirs.length : line;
  return { found: ours[at] ?? '(end)', expected: theirs[at] ?? '(end)' };
}

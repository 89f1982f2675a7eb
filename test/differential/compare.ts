import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { llvmProfgen, type Outcome, ours, oursCompatible } from './generators.js';
import { type Program, type Recording, recorded } from './program.js';
import { testWith } from './tools.js';

interface Mode {
  name: string;
  flags: readonly string[];
  /** Compared as text, so that a difference is readable. */
  text?: boolean;
}

/** Everything the flat path writes. */
const MODES: readonly Mode[] = [
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

/** Modes whose output does not depend on a named deviation. */
const DEFAULT_MODES = MODES.filter(({ name }) => name === 'text' || name === 'extbinary');

/** Fails unless both wrote the same. */
export function expectSame(found: Outcome, expected: Outcome, text: boolean): void {
  if (found.output === undefined) expect.fail(`nothing was written:\n${found.stderr}`);
  if (text) expect(found.output.toString()).toBe(expected.output?.toString());
  else expect(found.output.equals(expected.output ?? Buffer.of()), 'bytes are equal').toBe(true);
  expect(found.status).toBe(expected.status);
}

/** Tests that a program's profiles are llvm-profgen's, in every mode. */
export function compareProgram(program: Program): void {
  const inputFlags = ({ binary, perfData }: Recording) => [
    `--binary=${binary}`,
    `--perfdata=${perfData}`,
    ...(program.flags ?? []),
  ];
  const tools = program.tools ?? [];

  describe(program.name, () => {
    for (const { name, flags, text = false } of MODES) {
      testWith(tools, `${name}, --compat`, () => {
        const recording = recorded(program);
        const all = [...inputFlags(recording), ...flags];
        const theirs = llvmProfgen(recording.folder, all);
        const compatible = oursCompatible(recording.folder, all);
        expectSame(compatible, theirs, text);
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

    if (program.deviates) return;
    for (const { name, flags, text = false } of DEFAULT_MODES) {
      testWith(tools, `${name}, default`, () => {
        const recording = recorded(program);
        const all = [...inputFlags(recording), ...flags];
        expectSame(ours(recording.folder, all), llvmProfgen(recording.folder, all), text);
      });
    }
  });
}

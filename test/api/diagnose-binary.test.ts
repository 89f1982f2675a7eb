import { describe, expect, it } from 'vitest';
import type { BindingExamination } from '../../native/binding/index.cjs';
import { toFacts } from '../../src/diagnosis/facts.js';
import { binaryFindings } from '../../src/diagnosis/findings.js';
import { nextSteps } from '../../src/diagnosis/next-steps.js';
import { diagnoseBinary } from '../../src/index.js';
import { fixture } from '../support/fixtures.js';

const calc = fixture('calc-x86_64');

const CLANG: BindingExamination['compilers'][number] = {
  ...{ name: 'clang version 22', language: 'C11', dwarfVersion: 5 },
  ...{
    units: 10,
    withLines: 10,
    withDiscriminators: 8,
    withFunctions: 10,
    withDeclarationLines: 10,
    withTypes: 10,
  },
  ...{ withCommandLine: 0, withProfilingFlag: 0 },
};
const KERNEL: BindingExamination = {
  ...{ size: 1, buildId: '00', kind: 'kernel', machine: 'x86-64', codeSymbols: 1, flowSensitive: false },
  ...{ pseudoProbes: false, debugFile: 'vmlinux', skeletonUnits: 0, splitUnitsFound: 0, compilers: [CLANG] },
  ...{ diagnostics: [], kernel: { hasConfig: false, options: [], banner: 'Linux version 6.12.1 (x)' } },
};

/** Findings of a kernel that differs from a good one in this. */
const findings = (change: Partial<BindingExamination>) =>
  binaryFindings(toFacts({ ...KERNEL, ...change }, undefined)).map(({ code, severity }) => [code, severity]);

describe('diagnoseBinary', () => {
  it('resolves to facts, findings, and what to do', async () => {
    const { verdict, facts, recording, next } = await diagnoseBinary({
      binary: calc.binary,
      perfData: calc.perfData,
    });
    expect(verdict).toBe('good');
    expect(facts).toMatchObject({
      kind: 'shared-object',
      machine: 'x86-64',
      codeSymbols: 16,
      flowSensitive: true,
    });
    expect(recording?.explained).toBeCloseTo((11_087 / 14_848) * 100, 9);
    expect(recording?.lost).toBe(0);
    expect(next.map(({ purpose }) => purpose)).toEqual(['generate', 'compile']);
  });

  it('rejects with an error of the package for what is no program', async () => {
    await expect(diagnoseBinary({ binary: calc.perfData })).rejects.toMatchObject({ code: 'BINARY_INVALID' });
    await expect(diagnoseBinary({ binary: '' })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    await expect(diagnoseBinary({ binary: calc.binary, perfData: '-' })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    });
    await expect(diagnoseBinary({ binary: calc.binary, profileDensityThreshold: -1 })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    });
  });

  it('can be aborted', async () => {
    const reason = new Error('enough');
    const options = { binary: calc.binary, perfData: calc.perfData, signal: AbortSignal.abort(reason) };
    await expect(diagnoseBinary(options)).rejects.toBe(reason);
  });
});

describe('findings', () => {
  it('are none for a kernel as it should be', () => {
    expect(findings({})).toEqual([]);
  });

  it.each<[string, Partial<BindingExamination>, [string, string][]]>([
    ['a stripped binary', { codeSymbols: 0 }, [['no-symbols', 'blocker']]],
    [
      'nothing that is wrong with lines when there are pseudo probes',
      { pseudoProbes: true, debugFile: undefined, compilers: [] } as unknown as Partial<BindingExamination>,
      [],
    ],
    ['no line table', { compilers: [{ ...CLANG, withLines: 0 }] }, [['no-line-table', 'blocker']]],
    [
      'some split units that are gone',
      { skeletonUnits: 11, splitUnitsFound: 10 },
      [['split-missing', 'limit']],
    ],
    [
      'damaged debug information',
      { diagnostics: ['.debug_info is malformed behind unit 10'] },
      [['debug-info-problems', 'limit']],
    ],
    [
      'some units that do not say where functions are declared',
      { compilers: [{ ...CLANG, withDeclarationLines: 9 }] },
      [['some-declaration-lines', 'limit']],
    ],
    [
      'one compiler of two without discriminators',
      { compilers: [CLANG, { ...CLANG, language: 'Rust', name: 'rustc', withDiscriminators: 0 }] },
      [['no-discriminators', 'limit']],
    ],
    // Assembly has none of what compilers write.
    [
      'assembly',
      {
        compilers: [CLANG, { ...CLANG, language: 'Mips_Assembler', withDiscriminators: 0, withFunctions: 0 }],
      },
      [],
    ],
  ])('name %s', (_, change, expected) => {
    expect(findings(change)).toEqual(expected);
  });
});

describe('what to do next', () => {
  const commands = (version: string, binaryUsable: boolean) => {
    const kernel = { hasConfig: false, options: [], banner: `Linux version ${version} (x)` };
    const facts = toFacts({ ...KERNEL, kernel }, undefined);
    const situation = { facts, binary: "it's/vmlinux", perfData: [], binaryUsable, recordingUsable: false };
    return nextSteps(situation).map(({ command }) => command);
  };

  it('depends on the version of Linux, which has CONFIG_AUTOFDO_CLANG from 6.13 on', () => {
    expect(commands('6.12.9', false)).toEqual([
      expect.stringMatching(/^make LLVM=1 KCFLAGS="-fdebug-info-for-profiling /),
    ]);
    expect(commands('6.12.9', true).at(-1)).toMatch(/ -fprofile-sample-use=\$PWD\/vmlinux\.afdo"$/);
    for (const version of ['6.13.0', '7.0.1']) {
      expect(commands(version, false)).toEqual(['scripts/config -e AUTOFDO_CLANG && make LLVM=1']);
      expect(commands(version, true).at(-1)).toBe('make LLVM=1 CLANG_AUTOFDO_PROFILE="$PWD"/vmlinux.afdo');
    }
  });

  it('keeps to pseudo probes', async () => {
    const { next } = await diagnoseBinary({ binary: fixture('calc-probe').binary });
    expect(next.at(-1)?.command).toBe(
      'clang -O2 -fpseudo-probe-for-profiling -fprofile-sample-use=calc.afdo ...',
    );
  });

  it('quotes what a shell would take apart', () => {
    expect(commands('6.13.0', true)[1]).toBe("autofdo-gen --binary 'it'\\''s/vmlinux' --perfdata perf.data");
  });
});

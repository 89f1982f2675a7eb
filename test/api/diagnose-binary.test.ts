import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BindingExamination } from '../../native/binding/index.cjs';
import type { SampleSurvey } from '../../src/diagnosis/facts.js';
import { toFacts } from '../../src/diagnosis/facts.js';
import { binaryFindings, type Finding } from '../../src/diagnosis/findings.js';
import { describeRecordingHere } from '../../src/diagnosis/machine.js';
import { nextSteps } from '../../src/diagnosis/next-steps.js';
import { type RecordingDiagnosis, recordingFindings } from '../../src/diagnosis/recording.js';
import { diagnoseBinary, inspectPerfData, type Statistics } from '../../src/index.js';
import { fixture } from '../support/fixtures.js';
import { writeLargeRecording } from '../support/large-recording.js';
import { temporaryFolder } from '../support/temporary.js';

const calc = fixture('calc-x86_64');
const temporary = temporaryFolder();

const CLANG: BindingExamination['compilers'][number] = {
  ...{ name: 'clang version 22', language: 'C11', dwarfVersion: 5 },
  ...{
    units: 10,
    withLines: 10,
    withDiscriminators: 8,
    withCallDiscriminators: 0,
    withFunctions: 10,
    withDeclarationLines: 10,
    withTypes: 10,
  },
  ...{ withCommandLine: 0, withProfilingFlag: 0 },
};
const KERNEL: BindingExamination = {
  ...{ size: 1, buildId: '00', kind: 'kernel', machine: 'x86-64', codeSymbols: 1, flowSensitive: false },
  ...{ pseudoProbes: false, debugFile: 'vmlinux', skeletonUnits: 0, splitUnitsFound: 0, compilers: [CLANG] },
  ...{
    missingBuildIds: [],
    diagnostics: [],
    kernel: { hasConfig: false, options: [], banner: 'Linux version 6.12.1 (x)' },
  },
};

/** Returns the findings about a kernel that differs from a good one in this change. */
const findings = (change: Partial<BindingExamination>) =>
  binaryFindings(toFacts({ ...KERNEL, ...change }, undefined)).map(({ code, severity }) => [code, severity]);

describe('diagnoseBinary', () => {
  it('resolves to facts, findings and next steps', async () => {
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

  it('rejects with an error of the package for a file that is not a program', async () => {
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

describe('the findings', () => {
  it('are empty for a good kernel', () => {
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
      { diagnostics: ['.debug_info is malformed after unit 10'] },
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
    // Assembly has none of the facts that compilers write.
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

describe('the remedy', () => {
  const remedy = (change: Partial<BindingExamination>) => {
    const facts = toFacts(
      { ...KERNEL, kind: 'executable', kernel: undefined, ...change } as never,
      undefined,
    );
    const found = binaryFindings(facts);
    const { compilers } = facts;
    const situation = {
      facts,
      binary: 'app',
      perfData: [],
      findings: found,
      compilers,
      recordingUsable: false,
    };
    const [{ code, hint } = { code: '' }] = found;
    return { code, hint: hint ?? '', next: nextSteps(situation).map(({ command }) => command) };
  };

  it('for a missing file is to find it, and not to build anew', () => {
    const stripped = remedy({ codeSymbols: 0 });
    expect(stripped.next).toEqual(['autofdo-gen doctor --binary app --debug-binary DEBUG_FILE']);
    const split = remedy({ skeletonUnits: 4, splitUnitsFound: 0, compilers: [{ ...CLANG, withLines: 0 }] });
    expect([split.code, ...split.next]).toEqual([
      'split-missing',
      'autofdo-gen doctor --binary app --dwp PACKAGE',
    ]);
    const common = remedy({ missingSupplementary: '/usr/lib/debug/.dwz/app.debug' });
    expect([common.code, ...common.next]).toEqual([
      'supplementary-missing',
      'autofdo-gen doctor --binary app',
    ]);
    expect(common.hint).toMatch(/debug package/);
  });

  it('for a limit is a better build, as the last step', () => {
    const { compilers } = toFacts({ ...KERNEL, compilers: [{ ...CLANG, withDiscriminators: 0 }] }, undefined);
    const { code, next } = remedy({ compilers: [...compilers] });
    expect(code).toBe('no-discriminators');
    expect(next.map((command) => command.split(' ')[0])).toEqual(['perf', 'autofdo-gen', 'clang', 'clang']);
    expect(next.at(-1)).toBe('clang -O2 -g -fdebug-info-for-profiling ...');
  });

  it("for rustc's lines without discriminators says that calls have discriminators", () => {
    const rust = { ...CLANG, name: 'rustc version 1.95.0', language: 'Rust', withDiscriminators: 0 };
    const message = (withCallDiscriminators: number) => {
      const facts = toFacts({ ...KERNEL, compilers: [{ ...rust, withCallDiscriminators }] }, undefined);
      return binaryFindings(facts)[0]?.message;
    };
    expect(message(10)).toMatch(
      /without discriminators in its line table \(calls of inlined functions have some\), so/,
    );
    expect(message(0)).toMatch(/without discriminators in its line table, so/);
  });

  it('for static functions of one name is a flag of clang, if the names can change', () => {
    const shared = [{ name: 'init', units: 2 }];
    const survey = { samples: 100n, functions: 9, sampledFunctions: 9, shared, sharedSamples: 50n };
    const statistics = {
      ledger: { noFunction: 0n },
      branchEntries: 9n,
      density: 99,
    } as unknown as Statistics;
    const recording = { files: [], survey, densityThreshold: 50 } as unknown as RecordingDiagnosis;
    const found = (change: object) => {
      const facts = toFacts({ ...KERNEL, ...change } as BindingExamination, undefined);
      return recordingFindings(facts, recording, { statistics, diagnostics: [] });
    };
    const program = { kind: 'executable', kernel: undefined };
    const message = expect.stringMatching(/^50\.0 % of the samples .*\(init in 2 units\)/);
    const hint = expect.stringContaining('-funique-internal-linkage-names, in both builds');
    expect(found(program)).toMatchObject([{ code: 'shared-names', message, hint, fix: 'rebuild' }]);
    const rust = { compilers: [{ ...CLANG, language: 'Rust' }] };
    for (const unchangeable of [{}, { ...program, ...rust }]) {
      expect(found(unchangeable)).toEqual([{ code: 'shared-names', severity: 'limit', message }]);
    }
  });

  it('for a stripped vmlinux names the path of the unstripped one in distributions', () => {
    const { kernel, kind } = KERNEL;
    const { hint, next } = remedy({ codeSymbols: 0, kind, kernel } as Partial<BindingExamination>);
    expect(hint).toContain('/usr/lib/debug/boot/vmlinux-6.12.1 (Debian, Ubuntu)');
    expect(hint).toContain('/usr/lib/debug/lib/modules/6.12.1/vmlinux (Fedora)');
    expect(next).toEqual(['autofdo-gen doctor --binary UNSTRIPPED_VMLINUX']);
  });

  it('for debug information in another format is another flag', () => {
    const stabs = remedy({ debugFile: undefined, otherFormat: 'STABS', compilers: [] } as never);
    expect(stabs.code).toBe('no-debug-info');
    expect(stabs.hint).toMatch(/-gdwarf/);
    expect(stabs.next).toEqual(['clang -O2 -g -fdebug-info-for-profiling ...']);
  });
});

describe('for a kernel whose compiler takes the profile for complete, the diagnosis', () => {
  it('tells how many functions have no samples', async () => {
    const options = [{ name: 'CONFIG_AUTOFDO_PROFILE_ACCURATE', value: 'y' }];
    const kernel = { hasConfig: true, options, banner: 'Linux version 6.19.0 (x)' };
    const found = (change: Partial<BindingExamination>, sampledFunctions = 34) => {
      const facts = toFacts({ ...KERNEL, ...change }, undefined);
      const survey = {
        samples: 9,
        compilers: [CLANG],
        functions: 1234,
        sampledFunctions,
        shared: [],
        sharedSamples: 0,
      };
      const statistics = {
        ledger: { noFunction: 0 },
        branchEntries: 9,
        density: 99,
      } as unknown as Statistics;
      const recording = { files: [], survey, densityThreshold: 50 } as unknown as RecordingDiagnosis;
      return recordingFindings(facts, recording, { statistics, diagnostics: [] });
    };
    expect(found({ kernel })).toMatchObject([{ code: 'others-count-as-cold', severity: 'note' }]);
    expect(found({ kernel })[0]?.message).toMatch(/^1,200 of 1,234 functions have no samples/);
    expect(found({ kernel }, 1233)[0]?.message).toMatch(/^1 of 1,234 functions has no samples/);
    expect(found({})).toEqual([]);
  });
});

describe('the findings by samples', () => {
  /** Returns the findings for a program whose samples lie in code of these compilers. */
  const sampled = (...compilers: BindingExamination['compilers']) => {
    const survey: SampleSurvey = {
      samples: BigInt(compilers.reduce((sum, { units }) => sum + units, 0)),
      compilers,
      ...{ functions: 9, sampledFunctions: 3, shared: [], sharedSamples: 0n },
    };
    const facts = toFacts(
      { ...KERNEL, kind: 'executable', compilers: [CLANG], kernel: undefined } as never,
      undefined,
    );
    return binaryFindings(facts, survey).map(({ code, severity }) => [code, severity]);
  };
  const all = (units: number) => ({
    ...{ units, withLines: units, withDiscriminators: units, withFunctions: units },
    withDeclarationLines: units,
  });
  const clang = (units: number) => ({ ...CLANG, ...all(units) });
  const other = (language: string, units: number, name = 'some compiler') => ({
    ...{ ...CLANG, ...all(units), language, name },
    withDiscriminators: 0,
  });

  it('are empty if the executed code is good', () => {
    expect(sampled(clang(1000), { ...clang(9), withDeclarationLines: 0, withDiscriminators: 0 })).toEqual([]);
  });

  it('are blockers if most of the executed code is useless, and limits if some of it is', () => {
    const useless = (units: number) => ({ ...clang(units), withDeclarationLines: 0 });
    expect(sampled(clang(400), useless(600))).toEqual([['no-declaration-lines', 'blocker']]);
    expect(sampled(clang(900), useless(100))).toEqual([['some-declaration-lines', 'limit']]);
    const plain = (units: number) => ({ ...clang(units), withDiscriminators: 0 });
    expect(sampled(clang(400), plain(600))).toEqual([['no-discriminators', 'limit']]);
    const gcc = { ...clang(1000), name: 'GNU C17 12.2.0' };
    expect(sampled(gcc)).toEqual([['gcc-discriminators', 'limit']]);
    expect(sampled({ ...gcc, withDiscriminators: 0 })).toEqual([['gcc-without-discriminators', 'limit']]);
  });

  it.each([
    'Go',
    'Ada2012',
    'Ada95',
    'D',
    'Pascal83',
    'Haskell',
    'OCaml',
    'Modula2',
    'Zig',
    'Crystal',
    'Mips_Assembler',
    'Assembly',
  ])('say that no compiler of %s takes a profile', (language) => {
    expect(sampled(other(language, 1000))).toEqual([['no-compiler-takes-it', 'blocker']]);
    const some = language.includes('Assembl') ? [] : [['some-code-without-compiler', 'limit']];
    expect(sampled(clang(700), other(language, 300))).toEqual(some);
  });

  it('say of a rare or new language that the compiler is not known', () => {
    for (const language of ['Kotlin', 'Mojo', '0x4a']) {
      expect(sampled(other(language, 1000))).toEqual([['compiler-unknown', 'limit']]);
    }
  });

  it('differ between the compilers of Fortran', () => {
    for (const language of ['Fortran08', 'Fortran18', 'Fortran23']) {
      expect(sampled(other(language, 1000, 'GNU Fortran2008 12.2.0'))).toEqual([
        ['no-compiler-takes-it', 'blocker'],
      ]);
      expect(sampled(other(language, 1000, 'flang version 23.1.0'))).toEqual([]);
    }
  });

  it('say that no compiler takes a profile of code by zig or Crystal, whose DWARF names the language C', () => {
    for (const name of ['zig 0.9.1', 'Crystal 1.6.0']) {
      expect(sampled(other('C99', 1000, name))).toEqual([['no-compiler-takes-it', 'blocker']]);
    }
  });
});

describe('the text about recording on this machine', () => {
  const temporary = temporaryFolder();
  const machine = (files: Record<string, string>, kernel = false, uid = 1000) => {
    const root = mkdtempSync(join(temporary.path, 'root-'));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return describeRecordingHere(kernel, { root, arch: 'x64', uid });
  };
  const pmus = 'sys/bus/event_source/devices';
  const paranoid = (level: number) => ({ 'proc/sys/kernel/perf_event_paranoid': `${level}\n` });

  it('tells what the PMU and the system allow', () => {
    expect(machine({})).toBeUndefined();
    const intel = { [`${pmus}/cpu_core/caps/branches`]: '32\n', [`${pmus}/cpu_atom/caps/branches`]: '16\n' };
    expect(machine({ ...intel, ...paranoid(2) })).toBe('this machine records 32 branches for each sample');
    expect(machine({ ...intel, ...paranoid(2) }, true)).toMatch(
      /for root: kernel\.perf_event_paranoid is 2, .* at most 1$/,
    );
    expect(machine({ ...intel, ...paranoid(3) })).toMatch(/perf_event_paranoid is 3, .* at most 2$/);
    expect(machine({ ...intel, ...paranoid(3) }, true, 0)).toBe(
      'this machine records 32 branches for each sample',
    );
  });

  it('tells why the machine cannot record branches', () => {
    const cpu = (flags: string) => ({
      [`${pmus}/cpu/type`]: '4\n',
      'proc/cpuinfo': `flags\t\t: fpu ${flags}\n`,
    });
    expect(machine(cpu('hypervisor amd_lbr_v2'))).toMatch(/cannot record branches: it is a virtual machine/);
    expect(machine(cpu('amd_lbr_v2'))).toMatch(/LBRv2, which needs Linux 6\.1/);
    expect(machine(cpu('brs'))).toMatch(/BRS, which needs Linux 5\.19/);
    expect(machine(cpu('sse'))).toMatch(/knows no branch records of its CPU/);
    expect(machine({ [`${pmus}/software/type`]: '1\n' })).toMatch(/offers no hardware counters/);
  });

  it('names Arm SPE if there are no branch stacks', () => {
    const spe = { [`${pmus}/arm_spe_0/type`]: '9\n', [`${pmus}/armv8_pmuv3_0/type`]: '8\n' };
    expect(machine(spe)).toMatch(
      /Arm SPE: record with -e arm_spe_0\/branch_filter=1\/u -c 2048 in place of -b$/,
    );
    expect(machine(spe, true)).toMatch(/branch_filter=1\/k/);
    const both = { ...spe, [`${pmus}/armv8_pmuv3_0/caps/branches`]: '64\n' };
    expect(machine({ ...both, ...paranoid(1) })).toBe('this machine records 64 branches for each sample');
  });
});

describe('the list of next steps', () => {
  const commands = (version: string, binaryUsable: boolean) => {
    const kernel = { hasConfig: false, options: [], banner: `Linux version ${version} (x)` };
    const facts = toFacts({ ...KERNEL, kernel }, undefined);
    const useless: Finding = {
      code: 'no-declaration-lines',
      severity: 'blocker',
      message: '',
      fix: 'rebuild',
    };
    const findings = binaryUsable ? [] : [useless];
    const { compilers } = facts;
    const situation = {
      facts,
      binary: "it's/vmlinux",
      perfData: [],
      findings,
      compilers,
      recordingUsable: false,
    };
    return nextSteps(situation).map(({ command }) => command);
  };

  it('depends on the version of Linux, because CONFIG_AUTOFDO_CLANG exists from 6.13 on', () => {
    expect(commands('6.12.9', false)).toEqual([
      expect.stringMatching(/^make LLVM=1 KCFLAGS="-fdebug-info-for-profiling /),
    ]);
    expect(commands('6.12.9', true).at(-1)).toMatch(/ -fprofile-sample-use=\$PWD\/vmlinux\.afdo"$/);
    for (const version of ['6.13.0', '7.0.1']) {
      expect(commands(version, false)).toEqual(['scripts/config -e AUTOFDO_CLANG && make LLVM=1']);
      expect(commands(version, true).at(-1)).toBe('make LLVM=1 CLANG_AUTOFDO_PROFILE="$PWD"/vmlinux.afdo');
    }
  });

  it('keeps pseudo probes for a program that has them', async () => {
    const { next } = await diagnoseBinary({ binary: fixture('calc-probe').binary });
    expect(next.at(-1)?.command).toBe(
      'clang -O2 -fpseudo-probe-for-profiling -fprofile-sample-use=calc.afdo ...',
    );
    expect(next.find(({ purpose }) => purpose === 'record')?.note).toMatch(
      /; with -g as well, and a program built with -fno-omit-frame-pointer .* the profile has calling contexts$/,
    );
  });

  it('quotes words that a shell would split', () => {
    expect(commands('6.13.0', true)[1]).toBe("autofdo-gen --binary 'it'\\''s/vmlinux' --perfdata perf.data");
  });
});

it('a diagnosis ends when it is aborted while the recording is inspected', async () => {
  const recording = join(temporary.path, 'large.data');
  writeLargeRecording(calc, recording, 128 << 20);
  const abort = new AbortController();
  const diagnosis = diagnoseBinary({ binary: calc.binary, perfData: recording, signal: abort.signal });
  setTimeout(() => abort.abort('enough'), 30);
  await expect(diagnosis).rejects.toBe('enough');
  const inspection = inspectPerfData(recording, { signal: AbortSignal.abort('never begun') });
  await expect(inspection).rejects.toBe('never begun');
});

describe('the flags of a compiler', () => {
  const commands = (name: string, language: string) => {
    const compilers = [{ ...CLANG, name, language }];
    const { kernel: _, ...program } = KERNEL;
    const facts = toFacts({ ...program, kind: 'executable', compilers }, undefined);
    const situation = { facts, binary: 'app', perfData: ['perf.data'], compilers, recordingUsable: true };
    const compile = nextSteps({ ...situation, findings: [] }).map(({ command }) => command);
    const fix = { code: 'x', severity: 'blocker', message: 'x', fix: 'rebuild' } as const;
    const rebuild = nextSteps({ ...situation, findings: [fix] }).map(({ command }) => command);
    return [...rebuild, ...compile.slice(-1)];
  };

  it.each([
    [
      ...['clang LLVM (rustc version 1.97.1 (x))', 'Rust'],
      ...[
        'CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="-Zdebug-info-for-profiling" cargo +nightly',
        '-Zprofile-sample-use=$PWD/app.afdo" cargo +nightly',
      ],
    ],
    [
      ...['clang LLVM (rustc version 1.98.0 (x))', 'Rust'],
      ...[
        'CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="-Cdebuginfo-for-profiling" cargo build',
        '-Cprofile-sample-use=$PWD/app.afdo" cargo build',
      ],
    ],
    [
      ...['Swift version 6.1', 'Swift'],
      ...['swiftc -O -g -Xfrontend -debug-info-for-profiling', '-Xfrontend -profile-sample-use=app.afdo'],
    ],
    [
      ...['flang version 23.1.0', 'Fortran18'],
      ...['flang -O2 -g -fdebug-info-for-profiling', 'flang -O2 -g -fprofile-sample-use=app.afdo'],
    ],
  ])('%s', (name, language, build, use) => {
    const [rebuild, compile] = commands(name, language);
    expect(rebuild).toContain(build);
    expect(compile).toContain(use);
  });
});

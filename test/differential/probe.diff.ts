import { describe, expect } from 'vitest';
import { compareProgram } from './compare.js';
import { AUTOFDO } from './compilers.js';
import { llvmProfgen, type Outcome, ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { run, testWith } from './tools.js';

const PROBES = '-g -fdebug-info-for-profiling -fpseudo-probe-for-profiling';
const UNIQUE = '-funique-internal-linkage-names';

const calc = '$fixtures/calc.c';
const codec = '$programs/codec.c $programs/codec-main.c';
const shapes = '$fixtures/shapes.cpp';
const mixed = '$programs/probes.cpp $programs/probes-other.cpp';
const aarch64 = '--target=aarch64-linux-gnu -static -fuse-ld=lld';
const lld = ['ld.lld-22'];
const cross = [...lld, 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'];

/** A program that one command builds. */
function built(
  name: string,
  command: string,
  tools: readonly string[] = [],
  more: Partial<Program> = {},
): Program {
  const [compiler = ''] = command.split(' ');
  return {
    name: `probes-${name}`,
    tools: [compiler, ...tools],
    build: [`${command} -o program`],
    probes: true,
    ...more,
  };
}

/** The same program after changes to the file. */
function changed(name: string, command: string, change: string, more: Partial<Program> = {}): Program {
  const program = built(name, command, ['objcopy'], more);
  return { ...program, build: [...program.build, change] };
}

/** A program that is optimised by a first build's profile. */
function secondBuild(name: string, flags: string): Program {
  return {
    name: `probes-${name}`,
    tools: ['clang++-22'],
    probes: true,
    build: [
      `clang++-22 -O2 ${PROBES} ${mixed} -o first`,
      '$programs/../../recorder/record-program.sh first.data period=499 -- ./first >/dev/null',
      'llvm-profgen-22 --binary=first --perfdata=first.data -o first.afdo',
      `clang++-22 -O2 ${PROBES} -fprofile-sample-use=first.afdo ${flags} ${mixed} -o program`,
    ],
  };
}

const programs: Program[] = [
  built('c', `clang-22 -O2 ${PROBES} ${calc}`),
  built('O1', `clang-22 -O1 ${PROBES} ${codec}`),
  built('O3', `clang-22 -O3 -funroll-loops -march=x86-64-v3 ${PROBES} ${calc}`),
  built('Os-no-pie', `clang-22 -Os -no-pie ${PROBES} ${codec}`),
  built('clang-19', `clang-19 -O2 ${PROBES} ${calc}`),
  built('clang-19-O3', `clang++-19 -O3 ${PROBES} ${shapes}`),
  built('cxx', `clang++-22 -O2 ${PROBES} ${shapes}`),
  built('cxx-O3', `clang++-22 -O3 ${PROBES} ${mixed}`),
  built('cxx-O1', `clang++-22 -O1 ${PROBES} ${mixed}`),
  built('unique-names', `clang++-22 -O2 ${UNIQUE} ${PROBES} ${mixed}`),
  built('flow-sensitive', `clang++-22 -O3 ${PROBES} ${AUTOFDO} ${mixed}`),
  built('flow-sensitive-c', `clang-22 -O3 -funroll-loops ${PROBES} ${AUTOFDO} ${calc}`),
  built('lld', `clang++-22 -O2 -fuse-ld=lld ${PROBES} ${shapes}`, lld),
  built(
    'collected-sections',
    `clang-22 -O2 -ffunction-sections -fuse-ld=lld -Wl,--gc-sections ${PROBES} ${codec}`,
    lld,
  ),
  built('collected-bfd', `clang++-22 -O2 -ffunction-sections -Wl,--gc-sections ${PROBES} ${mixed}`),
  built(
    'folded-functions',
    `clang++-22 -O2 -ffunction-sections -fuse-ld=lld -Wl,--icf=all ${PROBES} ${shapes}`,
    lld,
  ),
  built('thin-lto', `clang++-22 -O2 -flto=thin -fuse-ld=lld ${PROBES} ${mixed}`, lld),
  built('thin-lto-unique', `clang++-22 -O3 -flto=thin -fuse-ld=lld ${UNIQUE} ${PROBES} ${mixed}`, lld),
  built('full-lto', `clang-22 -O2 -flto -fuse-ld=lld ${PROBES} ${codec}`, lld),
  built('static', `clang++-22 -O2 -static ${PROBES} ${mixed}`),
  built('hot-cold-split', `clang++-22 -O2 -mllvm -hot-cold-split=true ${PROBES} ${mixed}`),
  built('partial-inlining', `clang-22 -O2 -mllvm -enable-partial-inlining ${PROBES} ${calc}`),
  built('line-tables', `clang-22 -O2 -gline-tables-only -fpseudo-probe-for-profiling ${calc}`),
  built('dwarf4', `clang-22 -O2 -gdwarf-4 ${PROBES} ${codec}`),
  built('no-dwarf', `clang++-22 -O2 -fpseudo-probe-for-profiling ${mixed}`),
  built('aarch64', `clang-22 ${aarch64} -O2 ${PROBES} ${codec}`, cross),
  built('aarch64-O3', `clang-22 ${aarch64} -O3 ${PROBES} ${AUTOFDO} ${calc}`, cross),
  changed('stripped-of-dwarf', `clang++-22 -O2 ${PROBES} ${shapes}`, 'objcopy --strip-debug program'),
  changed(
    'renamed-symbols',
    `clang-22 -O2 -no-pie ${PROBES} ${codec}`,
    'objcopy --redefine-sym decode=other_name --redefine-sym main=main.cold program',
    { deviates: 'start of a function whose symbol is gone' },
  ),
  changed('lines-of-probes', `clang-22 -O2 ${PROBES} ${calc}`, 'true', {
    probes: false,
    flags: ['--use-dwarf-correlation'],
  }),
  {
    // Some functions have DWARF; others have only symbols.
    name: 'probes-dwarf-of-one-file',
    tools: ['clang++-22'],
    probes: true,
    build: [
      `clang++-22 -O2 ${PROBES} -c $programs/probes.cpp`,
      'clang++-22 -O2 -fpseudo-probe-for-profiling -c $programs/probes-other.cpp',
      'clang++-22 probes.o probes-other.o -o program',
    ],
  },
  secondBuild('second-build', ''),
];

for (const program of programs) compareProgram(program);

describe('parts that the compiler split off', () => {
  // The parts have probes, but no descriptor. llvm-profgen 22 looks for one and crashes.
  const program = secondBuild('split-off', '-mllvm -hot-cold-split=true -mllvm -hotcoldsplit-threshold=0');
  testWith(program.tools ?? [], 'are counted for the function from which they come', () => {
    const { folder, binary, perfData } = recorded(program);
    const flags = [
      `--binary=${binary}`,
      `--perfdata=${perfData}`,
      '--format=text',
      '--fill-zero-for-all-funcs',
    ];
    const found = ours(folder, flags);
    expect(found.status).toBe(0);
    expect(run('nm', [binary], folder).stdout).toMatch(/\.cold\.1$/m);
    expect(found.output?.toString()).not.toContain('.cold');
    expect(found.stderr).not.toContain('pseudo probe');
    expect(llvmProfgen(folder, flags).output, 'llvm-profgen writes nothing').toBeUndefined();
  });
});

describe('a function without a symbol', () => {
  const stripped: Program = {
    name: 'probes-symbols-gone',
    build: [
      `clang++-22 -O2 ${UNIQUE} ${PROBES} ${mixed} -o program`,
      'mkdir whole && cp program whole/',
      "objcopy --wildcard --strip-symbol='_ZN12_GLOBAL__N_1*' program",
    ],
  };
  testWith(['clang++-22', 'objcopy'], 'has its probes where the debug information places it', () => {
    const { folder, binary, perfData } = recorded(stripped);
    const flags = [`--perfdata=${perfData}`, '--format=text'];
    const checked = ({ output }: Outcome) => /^_ZN12_GLOBAL__N_17checked.*\n( .*\n)*/m.exec(`${output}`)?.[0];
    const whole = checked(llvmProfgen(folder, [...flags, '--binary=whole/program']));
    expect(whole).toBeDefined();
    expect(checked(ours(folder, [...flags, `--binary=${binary}`]))).toBe(whole);
    const theirs = checked(llvmProfgen(folder, [...flags, `--binary=${binary}`]));
    expect(theirs, 'llvm-profgen misplaces them').not.toBe(whole);
  });
});

describe('a coroutine with probes', () => {
  const program = built('coroutine', `clang++-22 -O2 -std=c++20 ${PROBES} $programs/generator.cpp`);
  testWith(program.tools ?? [], 'nothing is said of its parts, which have their own symbols', () => {
    const { folder, binary, perfData } = recorded(program);
    expect(run('nm', [binary], folder).stdout).toMatch(/\.destroy$/m);
    const flags = [`--binary=${binary}`, `--perfdata=${perfData}`, '--format=text'];
    const details = [...flags, '--show-detailed-warning'];
    const theirs = llvmProfgen(folder, details);
    expect(theirs.stderr, 'llvm-profgen compares names without suffixes').toContain('Conflicting name');
    const found = ours(folder, details);
    expect(found.output?.toString()).toBe(theirs.output?.toString());
    expect(found.stderr).not.toMatch(/pseudo probe|names code of|only the symbol table/);
  });
});

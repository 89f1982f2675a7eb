import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import type { BinaryDiagnosis } from '../../src/index.js';
import { AUTOFDO } from './compilers.js';
import {
  compilersByDwarfdump,
  elfByReadelf,
  lineTableCounts,
  type UnitCounts,
  unitCounts,
} from './dwarf-facts.js';
import { folderOf, recorded } from './program.js';
import { cli, repository, run, shell, testWith } from './tools.js';

const sources = {
  programs: join(repository, 'test/differential/programs'),
  fixtures: join(repository, 'fixtures/src'),
};
const TOOLS = ['llvm-dwarfdump-22', 'readelf'];
const PROFILING = '-fdebug-info-for-profiling';

interface Build {
  name: string;
  tools: readonly string[];
  /**
   * Shell commands that make `program` in a folder of its own. `$programs` and `$fixtures` are folders of sources.
   */
  build: readonly string[];
  /** The expected verdict. Other tools tell the other expected facts. */
  verdict: BinaryDiagnosis['verdict'];
  findings: readonly string[];
  profilingFlag?: string;
  /** File with the debug information, if the program has none; null if none can be found. */
  debugFile?: string | null;
  /** File with the symbols, if the program has none. `whole` is then the program before it was stripped. */
  symbolFile?: string;
  /** Files with split units. */
  split?: readonly string[];
  flags?: readonly string[];
}

const good = { verdict: 'good', findings: [] } as const;
const limited = (...findings: string[]) => ({ verdict: 'limited', findings }) as const;
const unusable = (...findings: string[]) => ({ verdict: 'unusable', findings }) as const;

function clang(version: number, flags: string, then: string[] = []) {
  const build = [`clang-${version} -O2 ${flags} $fixtures/calc.c -o program`, ...then];
  return { name: `clang ${version} ${flags}`, tools: [`clang-${version}`], build };
}

function gcc(driver: string, flags: string, source: string) {
  const build = [`${driver} -O2 ${flags} $fixtures/${source} -o program`];
  return { name: `${driver} ${flags}`, tools: [driver], build };
}

function rustc(flags: string) {
  return {
    name: `rustc ${flags}`,
    tools: ['rustc'],
    build: [`rustc --edition 2021 -O ${flags} $programs/words.rs -o program`],
  };
}

const BUILDS: Build[] = [
  ...[19, 22].flatMap((version): Build[] => [
    { ...clang(version, '-g'), ...limited('no-discriminators'), profilingFlag: 'unlikely' },
    { ...clang(version, `-g ${PROFILING}`), ...good, profilingFlag: 'likely' },
    { ...clang(version, `-g -gdwarf-4 ${PROFILING}`), ...good, profilingFlag: 'likely' },
    {
      ...clang(version, '-gmlt'),
      ...unusable('no-declaration-lines', 'no-discriminators'),
      profilingFlag: 'no',
    },
    { ...clang(version, `-gmlt ${PROFILING}`), ...good, profilingFlag: 'yes' },
    { ...clang(version, `-g ${AUTOFDO}`), ...good, profilingFlag: 'yes' },
    { ...clang(version, `-g -grecord-command-line ${PROFILING}`), ...good, profilingFlag: 'yes' },
    { ...clang(version, '-g -grecord-command-line'), ...limited('no-discriminators'), profilingFlag: 'no' },
    { ...clang(version, '-g -fpseudo-probe-for-profiling'), ...good, profilingFlag: 'unlikely' },
    { ...clang(version, ''), ...unusable('no-debug-info'), debugFile: null },
  ]),
  { ...clang(22, `-g -gz=zlib ${PROFILING}`), ...good },
  { ...clang(22, `-g -gz=zstd -fuse-ld=lld ${PROFILING}`), tools: ['clang-22', 'ld.lld-22'], ...good },
  { ...clang(22, `-g ${PROFILING} -Wl,--build-id=none`), ...limited('no-build-id') },
  {
    ...clang(22, `--target=aarch64-linux-gnu -static -fuse-ld=lld -g ${PROFILING} -Wl,--build-id`),
    tools: ['clang-22', 'ld.lld-22', '/usr/aarch64-linux-gnu/lib/libc.a'],
    ...good,
  },
  { ...gcc('gcc', '-g', 'calc.c'), ...limited('gcc-discriminators'), profilingFlag: 'unknown' },
  { ...gcc('gcc', '-g1', 'calc.c'), ...limited('gcc-discriminators'), profilingFlag: 'unknown' },
  { ...gcc('gcc', '-gdwarf-4', 'calc.c'), ...limited('gcc-discriminators'), profilingFlag: 'unknown' },
  { ...gcc('g++', '-g', 'shapes.cpp'), ...limited('gcc-discriminators'), profilingFlag: 'unknown' },
  { ...gcc('g++', '-g1', 'shapes.cpp'), ...limited('gcc-discriminators'), profilingFlag: 'unknown' },
  { ...gcc('clang++-22', `-g ${PROFILING}`, 'shapes.cpp'), ...good, profilingFlag: 'likely' },
  {
    ...gcc('clang++-22', `-g -fdebug-types-section -gdwarf-4 ${PROFILING}`, 'shapes.cpp'),
    ...good,
    profilingFlag: 'likely',
  },
  {
    ...gcc('clang++-22', `-g -flto -fuse-ld=lld ${PROFILING}`, 'shapes.cpp'),
    tools: ['clang++-22', 'ld.lld-22'],
    ...good,
  },
  { ...rustc('-g'), ...limited('no-discriminators'), profilingFlag: 'unlikely' },
  { ...rustc('-C debuginfo=1'), ...limited('no-discriminators'), profilingFlag: 'unlikely' },
  // Rust's own library has lines of declarations; the program has none.
  {
    ...rustc('-C debuginfo=line-tables-only'),
    ...limited('some-declaration-lines', 'no-discriminators'),
  },
  {
    ...clang(22, `-g ${PROFILING}`, ['strip -s program']),
    name: 'stripped of everything',
    ...unusable('no-symbols', 'no-debug-info'),
    debugFile: null,
  },
  {
    ...clang(22, `-g ${PROFILING}`, ['strip -g program']),
    name: 'stripped of debug information',
    ...unusable('no-debug-info'),
    debugFile: null,
  },
  {
    ...clang(22, `-g ${PROFILING}`, [
      'objcopy --only-keep-debug program program.debug',
      'strip -g program',
      'objcopy --add-gnu-debuglink=program.debug program',
    ]),
    name: 'debug link',
    ...good,
    debugFile: 'program.debug',
  },
  {
    ...clang(22, `-g ${PROFILING}`, [
      'objcopy --only-keep-debug program program.debug',
      'strip -g program',
      'objcopy --add-gnu-debuglink=program.debug program',
      'echo >> program.debug',
    ]),
    name: 'debug link to a file with another checksum',
    ...unusable('no-debug-info'),
    debugFile: null,
  },
  {
    ...clang(22, `-g ${PROFILING}`, [
      'cp program whole',
      'objcopy --only-keep-debug program program.debug',
      'strip -s program',
      'objcopy --add-gnu-debuglink=program.debug program',
    ]),
    name: 'symbols, too, through a debug link',
    ...good,
    debugFile: 'program.debug',
    symbolFile: 'program.debug',
  },
  {
    ...clang(22, `-g ${PROFILING}`, ['cp program whole', 'strip -s program']),
    name: 'symbols in a file named by hand',
    ...good,
    debugFile: 'whole',
    symbolFile: 'whole',
    flags: ['--debug-binary', 'whole'],
  },
  {
    ...clang(22, `-g ${PROFILING}`, [
      `clang-22 -O1 -g ${PROFILING} $fixtures/calc.c -o other`,
      'strip -s program',
    ]),
    name: 'symbols of another build named by hand',
    ...unusable('no-symbols', 'debug-info-problems'),
    debugFile: 'other',
    flags: ['--debug-binary', 'other'],
  },
  {
    ...clang(22, `-g ${PROFILING}`, ['cp program other', 'strip -g program']),
    name: 'debug information named by hand',
    ...good,
    debugFile: 'other',
    flags: ['--debug-binary', 'other'],
  },
  ...[
    { name: 'split units', after: [], split: ['calc.dwo'], result: good },
    {
      name: 'split units in a package',
      after: ['llvm-dwp-22 -e program -o program.dwp', 'mv calc.dwo away'],
      split: ['program.dwp'],
      result: good,
    },
    {
      name: 'split units that are gone',
      after: ['rm calc.dwo'],
      split: [],
      result: unusable('split-missing'),
    },
  ].map(({ name, after, split, result }): Build => {
    const compile = `clang-22 -O2 -g -gsplit-dwarf ${PROFILING} -c $fixtures/calc.c`;
    const build = [compile, 'clang-22 calc.o -o program', ...after];
    return { name, tools: ['clang-22', 'llvm-dwp-22'], build, split, ...result };
  }),
];

/** Returns the command's output about a program. */
function doctor(
  folder: string,
  args: readonly string[],
): { status: number | null; diagnosis: BinaryDiagnosis } {
  const { status, stdout, stderr } = run(process.execPath, [cli, 'doctor', '--json', ...args], folder);
  expect(stderr).toBe('');
  return { status, diagnosis: JSON.parse(stdout).binaries[0] };
}

function byKey(list: readonly UnitCounts[]): UnitCounts[] {
  const key = ({ name, language, dwarfVersion }: UnitCounts) => `${name} ${language} ${dwarfVersion}`;
  return list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function expectSameElf(folder: string, { facts }: BinaryDiagnosis, file: string, symbolFile?: string): void {
  const { compressed: _, codeSymbols, flowSensitive, buildId, ...elf } = elfByReadelf(folder, file);
  expect(facts).toMatchObject(elf);
  expect(facts.buildId).toBe(buildId);
  expect(facts.symbolFile).toBe(symbolFile);
  const symbols = symbolFile === undefined ? { codeSymbols, flowSensitive } : elfByReadelf(folder, 'whole');
  expect(facts.codeSymbols).toBe(symbols.codeSymbols);
  expect(facts.flowSensitive).toBe(symbols.flowSensitive);
}

describe('doctor says what readelf and llvm-dwarfdump say', () => {
  for (const {
    name,
    tools,
    build,
    verdict,
    findings,
    profilingFlag,
    debugFile = 'program',
    ...rest
  } of BUILDS) {
    testWith([...TOOLS, ...tools], name, () => {
      const folder = folderOf({ name: `doctor-${name.replaceAll(/\W+/g, '-')}`, build: [] });
      for (const command of build) shell(command, folder, sources);
      const { status, diagnosis } = doctor(folder, ['--binary', 'program', ...(rest.flags ?? [])]);
      expectSameElf(folder, diagnosis, 'program', rest.symbolFile);
      expect(diagnosis.findings.map(({ code }) => code)).toEqual(findings);
      expect(diagnosis.verdict).toBe(verdict);
      expect(status).toBe(verdict === 'unusable' ? 1 : 0);
      if (profilingFlag !== undefined) {
        expect(diagnosis.facts.compilers[0]?.profilingFlag).toBe(profilingFlag);
      }
      expect(diagnosis.facts.debugFile?.path).toBe(debugFile ?? undefined);
      if (debugFile === null) return;
      expect(diagnosis.facts.compression !== undefined).toBe(elfByReadelf(folder, debugFile).compressed);
      const wanted = byKey(compilersByDwarfdump(folder, debugFile, rest.split));
      expect(byKey(diagnosis.facts.compilers)).toMatchObject(wanted);
      expect(diagnosis.facts.compilers).toHaveLength(wanted.length);
    });
  }
});

/** A program at a kernel's addresses, with the facts that the doctor looks for in a kernel. */
const KERNEL = `
const char linux_banner[] = "Linux version 6.13.2 (someone@somewhere) (clang version 22) #1 SMP\\n";
__asm__(".section .rodata\\n.ascii \\"IKCFG_ST\\"\\n.incbin \\"config.gz\\"\\n.ascii \\"IKCFG_ED\\"\\n.text");
int work(int n) { int s = 0; for (int i = 0; i < n; i++) s += i % 3 ? i : n; return s; }
int _text(int n) { return work(n) + linux_banner[n]; }
`;

describe('doctor on kernels', () => {
  testWith([...TOOLS, 'clang-22', 'ld.lld-22'], 'an embedded configuration', () => {
    const folder = folderOf({ name: 'doctor-kernel-config', build: [] });
    const config = [
      '# comment',
      'CONFIG_AUTOFDO_CLANG=y',
      '# CONFIG_DEBUG_INFO_REDUCED is not set',
      'CONFIG_OTHER=m',
      '',
    ];
    writeFileSync(join(folder, 'config.gz'), gzipSync(config.join('\n')));
    writeFileSync(join(folder, 'kernel.c'), KERNEL);
    const where =
      '-nostdlib -static -fuse-ld=lld -mcmodel=kernel -Wl,--image-base=0xffffffff81000000 -Wl,-e,_text';
    shell(`clang-22 -O2 -g -fno-pic -no-pie ${AUTOFDO} ${where} -Wl,--build-id kernel.c -o vmlinux`, folder);
    const { diagnosis } = doctor(folder, ['--binary', 'vmlinux']);
    expectSameElf(folder, diagnosis, 'vmlinux');
    expect(diagnosis.verdict).toBe('good');
    expect(diagnosis.facts).toMatchObject({
      kind: 'kernel',
      kernel: {
        banner: 'Linux version 6.13.2 (someone@somewhere) (clang version 22) #1 SMP',
        version: [6, 13],
        hasConfig: true,
        options: { CONFIG_AUTOFDO_CLANG: 'y' },
      },
    });
    expect(diagnosis.next.map(({ command }) => command)).toEqual([
      expect.stringMatching(/^perf record -e \S+k -a -N -b -c 500009 /),
      'autofdo-gen --binary vmlinux --perfdata perf.data',
      'make LLVM=1 CLANG_AUTOFDO_PROFILE="$PWD"/vmlinux.afdo',
    ]);
  });

  testWith([...TOOLS, 'clang-22'], 'a module', () => {
    const folder = folderOf({ name: 'doctor-module', build: [] });
    const modinfo =
      '__asm__(".section .modinfo,\\"a\\"\\n.asciz \\"license=GPL\\"\\n.asciz \\"vermagic=6.12.9 SMP \\"");\n';
    const thisModule = '__attribute__((section(".gnu.linkonce.this_module"))) char this_module[64];\n';
    const code = 'int work(int n) { int s = 0; for (int i = 0; i < n; i++) s += i % 3 ? i : n; return s; }\n';
    writeFileSync(join(folder, 'a.c'), modinfo + thisModule + code);
    shell(`clang-22 -O2 -g -fno-pic -mcmodel=kernel ${AUTOFDO} -c a.c -o a.ko`, folder);
    const { diagnosis } = doctor(folder, ['--binary', 'a.ko']);
    expectSameElf(folder, diagnosis, 'a.ko');
    expect(diagnosis.facts).toMatchObject({
      kind: 'module',
      kernel: { banner: 'vermagic=6.12.9 SMP', version: [6, 12] },
    });
    expect(byKey(diagnosis.facts.compilers)).toMatchObject(byKey(compilersByDwarfdump(folder, 'a.ko')));
    expect(diagnosis.findings.map(({ code }) => code)).toEqual(['no-build-id']);
    expect(diagnosis.next.at(-1)?.command).toMatch(
      /^make LLVM=1 KCFLAGS=.*-fprofile-sample-use=\$PWD\/a\.ko\.afdo"$/,
    );
  });

  // A folder that test/recorder/record-kernel.sh filled.
  const given = process.env['AUTOFDO_KERNEL_DIR'] ?? '/AUTOFDO_KERNEL_DIR-is-not-set';
  const files = ['vmlinux', 'perf.data'];
  testWith(
    [...TOOLS, ...files.map((file) => join(given, file))],
    "Debian's kernel and a recording of it",
    () => {
      const folder = folderOf({ name: 'doctor-kernel', build: [] });
      for (const file of files) symlinkSync(join(given, file), join(folder, file));
      const { status, diagnosis } = doctor(folder, ['--binary', 'vmlinux', '--perfdata', 'perf.data']);
      expectSameElf(folder, diagnosis, 'vmlinux');
      const { facts, recording } = diagnosis;
      const banner = run('strings', ['-n', '40', 'vmlinux'], folder).stdout.split('\n');
      expect(banner).toContain(facts.kernel?.banner);
      expect(facts.kernel?.hasConfig).toBe(banner.some((text) => text.includes('IKCFG_ST')));
      const counts = (of: (compiler: UnitCounts) => number) =>
        facts.compilers.reduce((sum, c) => sum + of(c), 0);
      const { rows, discriminators } = lineTableCounts(folder, 'vmlinux');
      expect(counts(({ withLines }) => withLines)).toBe(rows);
      expect(counts(({ withDiscriminators }) => withDiscriminators)).toBe(discriminators);
      const units = byKey(facts.compilers).map(({ name, language, dwarfVersion, units }) => ({
        name,
        language,
        dwarfVersion,
        units,
      }));
      expect(units).toEqual(byKey(unitCounts(folder, 'vmlinux')));
      // The recorder's kernel is built with gcc, and the recording is as short as a test allows.
      expect(
        diagnosis.findings.filter(({ severity }) => severity !== 'note').map(({ code }) => code),
      ).toEqual(['gcc-discriminators', 'low-density']);
      expect(status).toBe(0);
      const profile = run(
        process.execPath,
        [cli, '--binary=vmlinux', '--perfdata=perf.data', '--json', '-o', 'out'],
        folder,
      );
      expect(recording?.statistics).toEqual(JSON.parse(profile.stdout).statistics);
      const { density = 0, branchEntries = 1n, ledger } = recording?.statistics ?? {};
      expect(recording?.explained).toBeCloseTo((Number(ledger?.used) / Number(branchEntries)) * 100, 9);
      expect(recording?.secondsNeeded).toBeCloseTo(((recording?.seconds ?? 0) * 50) / density, 9);
    },
  );
});

/** A program with an inlined function. Line tables alone have only the function around it. */
const HOT = `static inline int mix(int s, int i) { return s & 4 ? s * 3 + i : s >> 1; }
int hot(int n) { int s = n; for (int i = 0; i < 400000; i++) s = mix(s, i); return s; }\n`;
const MAIN = 'int hot(int); int main(int c, char **v) { return hot(c) + hot(c + 1) > c; }\n';
/** Makes a program with two static functions of one name. Each has half of the samples. */
const STATIC = (name: string) =>
  `static __attribute__((noinline)) int helper(int n) { int s = n; for (int i = 0; i < 50000; i++) s ^= i * s; return s; }
int ${name}(int n) { return helper(n) + 1; }\n`;

describe('doctor weighs by the samples', () => {
  const cases: { name: string; tools: string[]; build: string[]; findings: string[]; next: RegExp }[] = [
    {
      name: 'hot code with line tables only',
      tools: ['clang-22'],
      build: [
        `clang-22 -O2 -g ${PROFILING} -c main.c`,
        'clang-22 -O2 -gline-tables-only -c hot.c',
        'clang-22 main.o hot.o -o program',
      ],
      findings: ['no-declaration-lines', 'no-discriminators'],
      next: /^clang -O2 -g -fdebug-info-for-profiling /,
    },
    {
      name: 'cold code with line tables only',
      tools: ['clang-22'],
      build: [
        'clang-22 -O2 -gline-tables-only -c main.c',
        `clang-22 -O2 -g ${PROFILING} -c hot.c`,
        'clang-22 main.o hot.o -o program',
      ],
      findings: [],
      next: /^autofdo-gen /,
    },
    {
      name: 'hot code without debug information',
      tools: ['clang-22'],
      build: [
        `clang-22 -O2 -g ${PROFILING} -c main.c`,
        'clang-22 -O2 -c hot.c',
        'clang-22 main.o hot.o -o program',
      ],
      findings: ['no-profile'],
      next: /^clang -O2 -g -fdebug-info-for-profiling /,
    },
    {
      name: 'hot code of gcc without discriminators',
      tools: ['clang-22', 'gcc'],
      build: [
        `clang-22 -O2 -g ${PROFILING} -c main.c`,
        'gcc -O2 -gdwarf-3 -gstrict-dwarf -c hot.c',
        'clang-22 main.o hot.o -o program',
      ],
      findings: ['gcc-without-discriminators'],
      next: /^autofdo-gen /,
    },
    {
      name: 'hot code of Fortran',
      tools: ['gfortran'],
      build: ['gfortran -O2 -g hot.f90 -o program'],
      findings: ['no-compiler-takes-it'],
      next: /^$/,
    },
    {
      name: 'hot code of Go',
      tools: ['go'],
      build: ['GO111MODULE=off GOCACHE=$PWD/cache go build -o program hot.go'],
      findings: ['no-compiler-takes-it'],
      next: /^$/,
    },
    {
      name: 'hot code of an assembler',
      tools: ['as'],
      build: ['as -g hot.s -o hot.o', 'ld hot.o -o program'],
      findings: ['no-compiler-takes-it'],
      next: /^$/,
    },
    {
      name: 'static functions of one name',
      tools: ['clang-22'],
      build: [`clang-22 -O2 -g ${PROFILING} one.c two.c both.c -o program`],
      findings: ['shared-names'],
      next: /^autofdo-gen /,
    },
    {
      name: 'static functions with names of their own',
      tools: ['clang-22'],
      build: [`clang-22 -O2 -g ${PROFILING} -funique-internal-linkage-names one.c two.c both.c -o program`],
      findings: [],
      next: /^autofdo-gen /,
    },
  ];
  for (const { name, tools, build, findings, next } of cases) {
    testWith([...TOOLS, ...tools, 'qemu-x86_64'], name, () => {
      const { folder } = recorded({
        name: `doctor-samples-${name.replaceAll(' ', '-')}`,
        files: {
          'hot.c': HOT,
          'main.c': MAIN,
          'one.c': STATIC('one'),
          'two.c': STATIC('two'),
          'both.c':
            'int one(int); int two(int); int main(int c, char **v) { return one(c) + two(c) == c; }\n',
          'hot.go': `package main

//go:noinline
func hot(n int) int {
	sum := n
	for i := 0; i < 1000; i++ {
		sum += i ^ sum
	}
	return sum
}

func main() {
	sum := 0
	for i := 0; i < 2000; i++ {
		sum += hot(sum)
	}
	println(sum)
}
`,
          'hot.s': `.globl _start
.type hot, @function
hot:
  inc %rax
  loop hot
  ret
.size hot, . - hot
.type _start, @function
_start:
  mov $100000, %ecx
  call hot
  mov $60, %eax
  xor %edi, %edi
  syscall
.size _start, . - _start
`,
          'hot.f90':
            'program hot\n  integer :: i, s\n  s = command_argument_count()\n  do i = 1, 100000\n' +
            '    if (iand(s, 4) == 0) then\n      s = s + i\n    else\n      s = ieor(s, i)\n    end if\n  end do\n  print *, s\nend program\n',
        },
        build,
        record: 'period=1009',
      });
      const { status, diagnosis } = doctor(folder, ['--binary', 'program', '--perfdata', 'perf.data']);
      const found = diagnosis.findings.filter(
        ({ severity, code }) => severity !== 'note' && code !== 'low-density',
      );
      expect(found.map(({ code }) => code)).toEqual(findings);
      expect(diagnosis.next[0]?.command ?? '').toMatch(next);
      const blocked = found.some(({ severity }) => severity === 'blocker');
      expect(status).toBe(blocked ? 1 : 0);
      expect(diagnosis.verdict === 'unusable').toBe(blocked);
    });
  }
});

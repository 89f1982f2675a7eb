import { describe, expect } from 'vitest';
import { AUTOFDO, CLANG } from './compilers.js';
import { llvmProfgen, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { testWith } from './tools.js';

/** Programs about which llvm-profgen warns, and the text of the warning. */
const programs: (Program & { says: RegExp })[] = [
  {
    // The skeletons of split units have functions, too, for inlined calls.
    name: 'warnings-functions-twice',
    tools: ['clang-22'],
    build: [
      'clang-22 -O2 -g -gsplit-dwarf -fsplit-dwarf-inlining -fdebug-info-for-profiling -c $programs/codec.c $programs/codec-main.c',
      'clang-22 codec.o codec-main.o -o program',
    ],
    says: /Duplicated symbol start address at .* and/,
  },
  {
    name: 'warnings-split-units-missing',
    tools: ['clang-22'],
    build: [
      'clang-22 -O2 -g -gsplit-dwarf -fdebug-info-for-profiling -c $programs/codec.c $programs/codec-main.c',
      'clang-22 codec.o codec-main.o -o program',
      'rm codec.dwo',
    ],
    says: /DWO debug information for codec\.dwo was not loaded\.\nwarning: {2}DWO debug information was not loaded for 1 modules/,
  },
  {
    // A function in two parts, whose symbol has another name than the debug information.
    name: 'warnings-no-entry',
    tools: ['objcopy'],
    files: {
      'program.c': [
        '#include <stdio.h>',
        '#include <stdlib.h>',
        '__attribute__((cold, noinline)) void report(int n) { fprintf(stderr, "%d\\n", n); }',
        '__attribute__((noinline)) long crunch(int n, volatile int *limit) { long sum = 0;',
        'for (int i = 0; i < n; i++) { if (__builtin_expect(i > *limit, 0)) { report(i); sum ^= n; report(n); exit(1); } sum += i % 7; } return sum; }',
        'int main() { int limit = 99; long all = 0; for (int i = 0; i < 20000; i++) all += crunch(i % 50, &limit); printf("%ld\\n", all); }',
      ].join('\n'),
    },
    build: ['gcc -O2 -g program.c -o original', 'objcopy --redefine-sym crunch=renamed original program'],
    says: /Failed to determine function entry for crunch due to/,
  },
  {
    name: 'warnings-invalid-instructions',
    tools: ['clang-22'],
    files: {
      'data.S':
        '.globl jumbled\n.text\njumbled: ret\n.byte 0x06, 0x07, 0x0e\nbehind: ret\n.byte 0x06\nlast: ret\n',
    },
    build: [`${CLANG} ${AUTOFDO} $programs/codec.c $programs/codec-main.c data.S -o program`],
    says: /Invalid instructions at +[0-9a-f]+ - +[0-9a-f]+\n/,
  },
  {
    name: 'warnings-other-names',
    tools: ['clang-22'],
    files: {
      'aliases.c':
        'int f(int x) { return x * 3 + 1; }\n' +
        'int g(int) __attribute__((alias("f")));\n' +
        'int h(int) __attribute__((alias("f"))) asm("h.llvm.7");\n' +
        'int main(void) { volatile int s = 0; for (int i = 0; i < 200000; i++) s = f(s); return s == 5; }\n',
    },
    build: [`${CLANG} -fno-inline -fpseudo-probe-for-profiling aliases.c -o program`],
    says: /Conflicting name for symbol h\.llvm\.7 with range /,
  },
];

for (const program of programs) {
  describe(program.name, () => {
    for (const flags of [
      [],
      ['--show-detailed-warning'],
      ['--show-detailed-warning', '--skip-symbolization'],
    ]) {
      testWith(program.tools ?? [], `warnings of ${['llvm-profgen', ...flags].join(' ')}`, () => {
        const { folder } = recorded(program);
        const all = ['--binary=program', '--perfdata=perf.data', '--format=text', ...flags];
        const [theirs, compatible] = [llvmProfgen(folder, all), oursCompatible(folder, all)];
        // llvm-profgen prints warnings of one kind in the order of a hash table. Here they are in the order of
        // addresses or names.
        expect(compatible.warnings.toSorted()).toEqual(theirs.warnings.toSorted());
        if (flags.length > 0) expect(theirs.stderr).toMatch(program.says);
      });
    }

    testWith(program.tools ?? [], 'mappings', () => {
      const { folder } = recorded(program);
      const all = ['--binary=program', '--perfdata=perf.data', '--skip-symbolization', '--show-mmap-events'];
      const theirs = llvmProfgen(folder, all);
      expect(oursCompatible(folder, all).stdout).toBe(theirs.stdout);
      expect(theirs.stdout).toMatch(/^Mmap: Binary \S+ loaded at 0x[0-9a-f]+: $/m);
    });
  });
}

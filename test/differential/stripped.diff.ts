import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DEFAULT_MODES, expectSame } from './compare.js';
import { AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { shell, testWith } from './tools.js';

const calc = '$fixtures/calc.c';
const codec = '$programs/codec.c $programs/codec-main.c';
const lld = ['clang-22', 'ld.lld-22'];
const PROBES = `clang-22 -O2 -fpseudo-probe-for-profiling ${calc} -o program`;

/** Ways in which a distribution removes symbols and debug information from `program`. */
const BINUTILS = [
  'objcopy --only-keep-debug program program.debug',
  'strip --strip-all program',
  'objcopy --add-gnu-debuglink=program.debug program',
];
const LLVM = BINUTILS.map((command) =>
  command.replace('objcopy', 'llvm-objcopy-22').replace('strip ', 'llvm-strip-22 '),
);

const programs: (Program & { strip?: readonly string[] })[] = [
  { name: 'clang', tools: ['clang-22'], build: [`${CLANG} ${AUTOFDO} ${codec} -o program`] },
  {
    name: 'sections-collected',
    tools: lld,
    build: [`${CLANG} ${AUTOFDO} -ffunction-sections -fuse-ld=lld -Wl,--gc-sections ${codec} -o program`],
  },
  { name: 'cxx', tools: ['clang++-22'], build: [`${CLANGXX} ${AUTOFDO} $fixtures/shapes.cpp -o program`] },
  { name: 'gcc', build: [`gcc -O2 -g ${codec} -o program`] },
  {
    // Between the loaded sections there are other sections, which strip removes.
    name: 'relocations-kept',
    build: [`gcc -O2 -g -ffunction-sections -Wl,--emit-relocs ${calc} -o program`],
  },
  {
    name: 'probes-without-debug-info',
    tools: ['clang-22'],
    build: [PROBES],
    probes: true,
  },
  // These strip programs move the sections of probes to the debug file.
  {
    name: 'probes-llvm-strip',
    tools: ['clang-22', 'llvm-objcopy-22', 'llvm-strip-22'],
    build: [PROBES],
    strip: LLVM,
    probes: true,
  },
  {
    name: 'probes-eu-strip',
    tools: ['clang-22', 'eu-strip'],
    build: [PROBES],
    strip: ['eu-strip -f program.debug program'],
    probes: true,
  },
  {
    name: 'llvm-strip',
    tools: ['clang++-22', 'llvm-objcopy-22', 'llvm-strip-22'],
    build: [`${CLANGXX} ${AUTOFDO} $fixtures/shapes.cpp -o program`],
    strip: LLVM,
  },
  {
    name: 'aarch64',
    tools: [...lld, 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o', 'llvm-objcopy-22', 'llvm-strip-22'],
    build: [`${CLANG} --target=aarch64-linux-gnu -static -fuse-ld=lld ${AUTOFDO} ${codec} -o program`],
    strip: LLVM,
  },
];

describe('a stripped program has the profile that llvm-profgen makes of it before it is stripped', () => {
  for (const { strip = BINUTILS, ...program } of programs) {
    // llvm-profgen writes the checksums of probes in another order.
    const modes = DEFAULT_MODES.filter(({ text }) => text || !program.probes);
    for (const { name, flags, text = false } of modes) {
      testWith([...(program.tools ?? []), 'objcopy', 'strip'], `${program.name}, ${name}`, () => {
        const { folder } = recorded({ ...program, name: `stripped-${program.name}` });
        const inputs = ['--binary=program', '--perfdata=perf.data', ...flags];
        const whole = join(folder, 'whole');
        shell('test -e whole || cp program whole; cp whole program', folder);
        const theirs = llvmProfgen(folder, inputs);
        for (const command of strip) shell(command, folder);
        const linked = ours(folder, inputs);
        expectSame(linked, theirs, text);
        shell('mkdir -p away && mv program.debug away/', folder);
        expectSame(ours(folder, [...inputs, '--debug-binary=away/program.debug']), theirs, text);
        const alone = ours(folder, [...inputs, '--verbose']);
        expect([alone.status, alone.output]).toEqual([1, undefined]);
        expect(alone.stderr).toMatch(/has no symbol table/);
        copyFileSync(whole, join(folder, 'program'));
      });
    }
  }
});

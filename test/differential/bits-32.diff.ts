import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { DEFAULT_MODES, expectSame } from './compare.js';
import { AUTOFDO } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { built, type Program } from './program.js';
import { cli, run, testWith } from './tools.js';

const source = `
  __attribute__((noinline)) unsigned collatz(unsigned x) {
    unsigned steps = 0;
    while (x != 1) {
      x = x & 1 ? 3 * x + 1 : x / 2;
      steps += x;
    }
    return steps;
  }
  volatile unsigned sink;
  void _start(void) {
    for (unsigned i = 1; i < 1000; i++) sink += collatz(i);
    for (;;);
  }
`;
const tools = ['clang-22', 'ld.lld-22', 'llvm-objdump-22'] as const;
const build = (flags: string) => [
  `clang-22 -O2 -g ${flags} ${AUTOFDO} -ffreestanding -nostdlib -static -fuse-ld=lld collatz.c -o program`,
];

const programs: Program[] = [
  { name: 'bits-32-i386', tools, files: { 'collatz.c': source }, build: build('-m32') },
  { name: 'bits-32-i386-dwarf4', tools, files: { 'collatz.c': source }, build: build('-m32 -gdwarf-4 -O1') },
  {
    name: 'bits-32-i386-avx512',
    tools,
    files: { 'collatz.c': source },
    build: build('-m32 -O3 -march=x86-64-v4'),
  },
  { name: 'bits-32-x32', tools, files: { 'collatz.c': source }, build: build('-mx32') },
];

/**
 * Writes a made-up recording: the backward branch of the loop in `collatz`, taken again and again. No recorder
 * runs these programs here.
 */
function writeScript(folder: string): number {
  const listing = run('llvm-objdump-22', ['-d', '--no-show-raw-insn', 'program'], folder).stdout;
  const branches = [...listing.matchAll(/^ *([0-9a-f]+):\s+j(?!mp)\w+\s+0x([0-9a-f]+) <collatz/gm)];
  const loops = branches.filter(
    ([, from = '', to = '']) => Number.parseInt(to, 16) < Number.parseInt(from, 16),
  );
  const lines = loops.flatMap(([, from, to]) =>
    Array.from({ length: 20 }, () => ` ${to} ${` 0x${from}/0x${to}/P/-/-/0`.repeat(16)}`),
  );
  const text = /\n\s+LOAD\s+0x([0-9a-f]+)\s+0x([0-9a-f]+)\s+\S+\s+\S+\s+\S+\s+R E/.exec(
    run('readelf', ['-lW', 'program'], folder).stdout,
  );
  const page = (hex = '0') => (Number.parseInt(hex, 16) & ~0xfff).toString(16);
  const mapping = `[0x${page(text?.[2])}(0x1000) @ 0x${page(text?.[1])} 00:00 0 0]: r-xp ${join(folder, 'program')}`;
  writeFileSync(
    join(folder, 'perf.script'),
    [`program 1 PERF_RECORD_MMAP2 1/1: ${mapping.replace('@ 0x0 ', '@ 0 ')}`, ...lines, ''].join('\n'),
  );
  return loops.length;
}

describe('programs of 32 bits', () => {
  for (const program of programs)
    testWith([...tools, 'readelf'], `have the name of their ABI in doctor: ${program.name}`, () => {
      const folder = built(program);
      const { stdout } = run(process.execPath, [cli, 'doctor', '--binary', 'program'], folder);
      const header = run('readelf', ['-hW', 'program'], folder).stdout;
      const machine = /Machine: +(.*)/.exec(header)?.[1];
      // x32 is 64-bit code in 32-bit files.
      expect(header).toMatch(/Class: +ELF32/);
      const name = machine === 'Intel 80386' ? 'i386' : 'x32';
      expect(stdout).toContain(`binary          program (executable, ${name}, `);
    });

  for (const program of programs)
    testWith([...tools, 'readelf'], `have llvm-profgen's profile: ${program.name}`, () => {
      const folder = built(program);
      expect(writeScript(folder)).toBe(1);
      for (const mode of DEFAULT_MODES) {
        const flags = ['--binary=program', '--perfscript=perf.script', ...mode.flags];
        const theirs = llvmProfgen(folder, flags);
        if (mode.text) expect(theirs.output?.toString()).toMatch(/^collatz:[1-9]/m);
        expectSame(ours(folder, flags), theirs, mode.text ?? false);
        expectSame(oursCompatible(folder, flags), theirs, mode.text ?? false);
      }
    });
});

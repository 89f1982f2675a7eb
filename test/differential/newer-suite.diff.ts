import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { built, type Program, recorded } from './program.js';
import { run, testWith } from './tools.js';

// Tests the subjects of newer tests in llvm-profgen's own suite. No package of LLVM's sources has these tests yet.
// Each case has the name of its test in LLVM, and inputs of our own.

const aarch64 = 'clang-22 --target=aarch64-linux-gnu -nostdlib -fuse-ld=lld';
const tools = ['clang-22', 'ld.lld-22', 'llvm-nm-22', 'llvm-readelf-22'];

/** Returns the addresses of a program's symbols. */
function symbolsOf(folder: string): (name: string) => number {
  const lines = run('llvm-nm-22', ['program'], folder).stdout.split('\n');
  const addresses = new Map(lines.map((line) => [line.split(' ')[2], Number.parseInt(line, 16)]));
  return (name) => addresses.get(name) ?? expect.fail(`there is no ${name}`);
}

interface Segment {
  offset: number;
  address: number;
  size: number;
}

/** Returns the segment with code. */
function codeOf(folder: string): Segment {
  const headers = run('llvm-readelf-22', ['-lW', 'program'], folder).stdout.split('\n');
  const line = headers.find((line) => /LOAD .* R E /.test(line)) ?? expect.fail('there is no code');
  const [, offset, address, , size] = line.trim().split(/\s+/).map(Number);
  return { offset: offset ?? 0, address: address ?? 0, size: size ?? 0 };
}

const hex = (value: number) => `0x${value.toString(16)}`;

function mapping(start: number, size: number, offset: number): string {
  const at = offset === 0 ? '0' : hex(offset);
  return `PERF_RECORD_MMAP2 7/7: [${hex(start)}(${hex(size)}) @ ${at} 00:00 0 0]: r-xp /built/program\n`;
}

/** Writes a sample from its branches, the newest first. */
function sample(...branches: (readonly [from: number, to: number])[]): string {
  const entries = branches.map(([from, to]) => `${hex(from)}/${hex(to)}/P/-/-/0`).join('  ');
  return `${branches[0]?.[1].toString(16)} ${entries}\n`;
}

/** Returns the flags of a job with this text. */
function inputs(folder: string, text: string, name = 'perfscript'): string[] {
  writeFileSync(join(folder, name), text);
  return ['--binary=program', `--perfscript=${name}`];
}

function text(outcome: { output: Buffer | undefined; stderr: string }): string {
  return outcome.output?.toString() ?? expect.fail(outcome.stderr);
}

const LOAD = 0x5a0000000000;

const loop: Program = {
  name: 'newer-loop',
  files: {
    'loop.s': `
      .text
      .globl _start
      .type _start, %function
_start: b middle
      nop
middle: add x0, x0, #1
      ldaddal w0, w1, [x2]
      ldapr x3, [x4]
back: cbnz x0, _start
      ret
      .size _start, .-_start
      .section .rodata
      .space 0x13abc
`,
  },
  build: [`${aarch64} -march=armv8.3-a -pie -Wl,-z,max-page-size=65536 loop.s -o program`],
};

describe("the subject of a newer test in llvm-profgen's suite", () => {
  testWith(tools, 'brbe-branch-profile and aarch64-disassemble-all-features', () => {
    const folder = built(loop);
    const at = symbolsOf(folder);
    const code = codeOf(folder);
    const start = code.address & ~0xffff;
    const moved = (name: string) => at(name) - start + LOAD;
    const flags = [
      ...inputs(
        folder,
        mapping(LOAD, 0x10000, code.offset & ~0xffff) +
          sample([moved('back'), moved('_start')], [moved('_start'), moved('middle')]),
      ),
      '--skip-symbolization',
      '--use-offset=0',
    ];
    const [first, middle, back] = ['_start', 'middle', 'back'].map((name) => at(name).toString(16));
    // The straight-line range includes atomic instructions of ARMv8.1 and ARMv8.3.
    expect(text(ours(folder, flags))).toBe(
      `1\n${middle}-${back}:1\n2\n${first}->${middle}:1\n${back}->${first}:1\n`,
    );
  });

  testWith(tools, 'load-segment-64k-align', () => {
    const folder = built(loop);
    const [at, code] = [symbolsOf(folder), codeOf(folder)];
    // The mapping begins at a page of 64 KiB, and the segment begins inside of it.
    expect(code.offset).toBeGreaterThan(0x10000);
    expect(code.offset % 0x1000).toBeGreaterThan(0);
    const moved = (name: string) => at(name) - code.address + (code.offset & 0xffff) + LOAD;
    const script = mapping(LOAD, 0x10000, code.offset & ~0xffff) + sample([moved('back'), moved('_start')]);
    const flags = [...inputs(folder, script, '64k'), '--skip-symbolization', '--use-offset=0'];
    const counters = `0\n1\n${at('back').toString(16)}->${at('_start').toString(16)}:1\n`;
    expect(text(ours(folder, flags))).toBe(counters);
  });

  const half: Program = {
    name: 'newer-half',
    files: {
      'told.c': 'void told(void) { __asm__ volatile("nop"); }\n',
      'untold.s': `
      .text
      .globl untold
      .type untold, %function
untold: add w0, w0, #2
untold_end: ret
      .size untold, .-untold
`,
    },
    build: [`${aarch64} -g -O1 -c told.c -o told.o`, `${aarch64} -shared told.o untold.s -o program`],
  };

  testWith(tools, 'warn-not-symbolized-mmap', () => {
    const folder = built(half);
    const [at, code] = [symbolsOf(folder), codeOf(folder)];
    const warnings = (load: number, ...sizes: number[]) => {
      const moved = (name: string) => at(name) - code.address + code.offset + load;
      const maps = sizes.map((size) => mapping(load, size, 0)).join('');
      const entries = sample([moved('untold_end'), moved('told')], [moved('told'), moved('untold')]);
      const flags = [...inputs(folder, maps + entries, `half-${load}-${sizes.join('-')}`), '--format=text'];
      const done = ours(folder, flags);
      expect(text(done)).toBe('told:0:1\n');
      return done.warnings.filter((line) => line.includes('are lost'));
    };
    const whole = code.offset + code.size;
    const before = code.offset + at('untold') - code.address;
    // A program may be mapped at address 0, and again with more after the first mapping.
    for (const sizes of [[whole], [before, whole]]) {
      for (const load of [0, LOAD]) {
        expect(warnings(load, ...sizes), `${load} ${sizes}`).toEqual([
          expect.stringMatching(/50\.0 % .* code that belongs to no function of the debug information/),
        ]);
      }
    }
    // The mapping ends at the start of the function without debug information.
    expect(warnings(LOAD, before)).toEqual([]);
  });

  const unordered: Program = {
    name: 'newer-unordered',
    files: {
      'unordered.c': `
__attribute__((naked, section(".text.low"))) void low(void) {
  __asm__("nop; nop; low_back: jmp low");
}
__attribute__((naked, section(".text.high"))) void high(void) {
  __asm__("nop; nop; high_back: jmp high");
}
`,
      'order.ld': `
SECTIONS {
  .text.high 0x30000 : { *(.text.high) }
  .text.low 0x20000 : { *(.text.low) }
}
`,
    },
    // GNU ld writes the sections in the order of the script.
    build: [
      'clang-22 -nostdlib -fuse-ld=bfd -O1 -g -fdebug-info-for-profiling -static -Wl,-T,order.ld unordered.c -o program',
    ],
  };

  testWith(tools, 'code-address-order', () => {
    const folder = built(unordered);
    const at = symbolsOf(folder);
    const sections = run('llvm-readelf-22', ['-SW', 'program'], folder).stdout;
    expect(sections.indexOf('.text.high')).toBeLessThan(sections.indexOf('.text.low'));
    const again = (name: string): [number, number] => [at(`${name}_back`), at(name)];
    const script = [sample(again('low'), again('low')), sample(again('high'), again('high'))].join('');
    const profile = text(ours(folder, [...inputs(folder, script), '--format=text']));
    for (const name of ['low', 'high']) {
      expect(profile).toMatch(new RegExp(`^${name}:\\d+:2$`, 'm'));
      expect(profile).toContain(`${name}:2`);
    }
  });

  const pie: Program = {
    name: 'newer-pie',
    files: { 'pie.s': '.globl _start\n_start: nop\n.space 0x40, 0x90\nback: jmp _start\n' },
    build: ['clang-22 -nostdlib -fuse-ld=lld -pie pie.s -o program'],
  };

  testWith(tools, 'first-loadable-address', () => {
    const folder = built(pie);
    const [at, code] = [symbolsOf(folder), codeOf(folder)];
    const moved = (name: string) => at(name) - code.address + code.offset + LOAD;
    const script = mapping(LOAD, 0x2000, 0) + sample([moved('back'), moved('_start')]);
    const flags = [
      ...inputs(folder, script),
      '--skip-symbolization',
      '--use-offset=1',
      '--use-first-loadable-segment-as-base=1',
    ];
    const counters = (base: number) =>
      `0\n1\n${(at('back') - base).toString(16)}->${(at('_start') - base).toString(16)}:1\n`;
    // The first segment is at 0. llvm-profgen 22 takes the second segment, whose page is the first that is not at
    // 0.
    expect(text(ours(folder, flags))).toBe(counters(0));
    const theirs = text(llvmProfgen(folder, flags));
    expect(theirs).toBe(counters(code.address & ~0xfff));
    expect(text(oursCompatible(folder, flags))).toBe(theirs);
  });

  const disagreeing: Program = {
    name: 'newer-disagreeing',
    files: {
      'work.h': `
__attribute__((weak, noinline)) int work(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++)
#ifdef CHECKED
    if (i != 7)
#endif
      sum += i ^ sum;
  return sum;
}
`,
      'a.c':
        '#include "work.h"\nint other(void);\nint main(void) { int s = 0; for (int i = 0; i < 300; i++) s += work(i); return other() == s; }\n',
      'b.c': '#define CHECKED\n#include "work.h"\nint other(void) { return work(9); }\n',
    },
    build: ['clang-22 -O1 -g -fpseudo-probe-for-profiling -fdebug-info-for-profiling a.c b.c -o program'],
    probes: true,
  };

  testWith(tools, 'pseudo-probe-desc-mismatch', () => {
    const { folder, binary, perfData } = recorded(disagreeing);
    const flags = [`--binary=${binary}`, `--perfdata=${perfData}`, '--format=text'];
    const disagree = (all: string[]) =>
      ours(folder, all).warnings.filter((line) => line.includes('object files have different code'));
    expect(disagree(flags)).toEqual([expect.stringMatching(/different code for 1 function /)]);
    expect(disagree([...flags, '--show-detailed-warning'])).toEqual([
      expect.stringMatching(/different code for work; the profile has its checksum 0x[0-9a-f]+$/),
      expect.stringMatching(/different code for 1 function /),
    ]);
    expect(oursCompatible(folder, flags).warnings).toEqual(llvmProfgen(folder, flags).warnings);
  });

  const withoutDwarf: Program = {
    name: 'newer-without-dwarf',
    build: [
      'clang-22 -O1 -g -gsplit-dwarf -fdebug-info-for-profiling -fpseudo-probe-for-profiling -c $fixtures/calc.c -o calc.o',
      'clang-22 calc.o -o program && rm calc.dwo',
    ],
    probes: true,
  };

  testWith(tools, 'missing-dwarf', () => {
    const { folder, binary, perfData } = recorded(withoutDwarf);
    const program = `--binary=${binary}`;
    writeFileSync(
      join(folder, 'counters'),
      text(llvmProfgen(folder, [program, `--perfdata=${perfData}`, '--skip-symbolization'])),
    );
    const flags = [program, '--unsymbolized-profile=counters', '--format=text', '--fill-zero-for-all-funcs'];
    // The functions of probes are the functions of the symbols.
    const theirs = text(llvmProfgen(folder, flags));
    expect(theirs).toMatch(/^main:[1-9]/m);
    expect(text(oursCompatible(folder, flags))).toBe(theirs);
    expect(text(ours(folder, flags))).toBe(theirs);
    const without = [...flags, '--load-function-from-symbol=0'];
    const compatible = oursCompatible(folder, without);
    expect(compatible.warnings).toEqual(llvmProfgen(folder, without).warnings);
    expect(compatible.warnings.join()).toContain('no binary functions have been retrieved');
    expect(ours(folder, without).stderr).toMatch(/^error: .*(debug information|DWARF|functions)/m);
  });
});

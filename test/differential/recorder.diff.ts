import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { llvmProfgen, ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { repository, run, shell, testWith } from './tools.js';

const build = ['gcc -O1 -g $programs/classes.S $programs/classes-main.c -o program'];

/**
 * A recording in which every taken branch is a sample with the branch before. The ranges between them are all
 * ranges that were executed.
 */
const everyBranch: Program = {
  name: 'recorder-every-branch',
  build,
  record: 'period=1 depth=2 exact=exact.counters',
};
const onlyNewest: Program = { name: 'recorder-newest-branch', build, record: 'period=1 depth=1' };

/** A program with a recursion of two functions, and calls from code outside. */
const STACKS = `
#include <stdio.h>
#include <stdlib.h>
#define NOINLINE __attribute__((noinline))
NOINLINE int leaf(int x) { int s = 0; for (int i = 0; i < (x & 3); i++) s += i * x; return s; }
NOINLINE int even(int x);
NOINLINE int odd(int x) { if (x <= 0) return leaf(x); return even(x - 1) + 1; }
NOINLINE int even(int x) { if (x <= 0) return leaf(x + 1); return odd(x - 1) * 2; }
NOINLINE int compare(const void *a, const void *b) {
  int x = *(const int *)a, y = *(const int *)b, s = leaf(x);
  for (int i = 0; i < 4; i++) if (s & 1 << i) s++;
  return (x > y) - (x < y) + (s > 1000000);
}
int main(void) {
  static int values[20];
  int sum = 0;
  for (int i = 0; i < 20; i++) values[i] = i * 7 % 20;
  qsort(values, 20, sizeof *values, compare);
  for (int i = 0; i < 12; i++) sum += odd(i) + leaf(values[i]);
  printf("%d\\n", sum);
  return 0;
}
`;

function withStacks(name: string, record: string): Program {
  const flags =
    '-fdebug-info-for-profiling -fpseudo-probe-for-profiling -fno-omit-frame-pointer -fno-optimize-sibling-calls';
  return {
    name,
    files: { 'stacks.c': STACKS },
    build: [`clang-22 -O2 -g ${flags} stacks.c -o program`],
    record: `callchain=1 exact=exact.counters ${record}`,
  };
}

const nextAndCrossing: Program = {
  name: 'recorder-next-and-crossing',
  files: {
    'next.s': `.globl _start
      .text
      .p2align 12
    _start: mov $1000, %ecx
    1: jmp 2f
    2: call 3f
    3: pop %rax
      .skip 4078, 0x90
      movabs $0x1122334455667788, %rax
      dec %ecx
      jnz 1b
      mov $60, %eax
      xor %edi, %edi
      syscall
    `,
  },
  build: ['clang-22 -nostdlib -static -fuse-ld=lld -g next.s -o program'],
  record: 'period=97 exact=exact.counters',
};

/** A program whose file is smaller than a page. */
const TINY = `.globl _start
_start: mov $100000, %ecx
1: dec %ecx
  jnz 1b
  mov $60, %eax
  xor %edi, %edi
  syscall
`;

/** Tells whether an address lies in the code section of the ELF file in which every function has a symbol. */
function inTextOf(folder: string): (hex: string) => boolean {
  const header = run('readelf', ['-SW', 'program'], folder).stdout;
  const [, address = '', size = ''] =
    /\.text +PROGBITS +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)/.exec(header) ?? [];
  const start = Number.parseInt(address, 16);
  const end = start + Number.parseInt(size, 16);
  return (hex) => Number.parseInt(hex, 16) >= start && Number.parseInt(hex, 16) < end;
}

/** Returns the lines of counters whose addresses lie in that section. */
function linesInText(counters: string, folder: string, separator: string): string[] {
  const inText = inTextOf(folder);
  return counters.split('\n').filter((line) => {
    const [from = '', to = '', count] = line.split(/->|-|:/);
    const kind = line.includes('->') ? '->' : '-';
    return count !== undefined && kind === separator && inText(from) && inText(to);
  });
}

/** Returns for each calling context, the outermost call first, and each range the number of executions. */
function runsByContext(counters: string): Map<string, number> {
  const runs = new Map<string, number>();
  let context = '';
  for (const line of counters.split('\n')) {
    const [, run, count] = /^ +([0-9a-f]+-[0-9a-f]+):(\d+)$/.exec(line) ?? [];
    if (line.startsWith('[')) context = line;
    else if (run !== undefined) runs.set(`${context} ${run}`, Number(count));
  }
  return runs;
}

describe('from the calling contexts of a recording,', () => {
  const counted = (program: Program) => {
    const { folder } = recorded(program);
    const flags = ['--skip-symbolization', '--use-offset=0', '--compress-recursion=0'];
    const { output } = ours(folder, ['--binary=program', '--perfdata=perf.data', ...flags]);
    const truth = readFileSync(join(folder, 'exact.counters'), 'utf8');
    const inText = inTextOf(folder);
    const isCode = (key: string) => inText(/([0-9a-f]+)-/.exec(key)?.[1] ?? '');
    return { found: runsByContext(output?.toString() ?? ''), truth: runsByContext(truth), isCode };
  };

  testWith(['clang-22'], 'each range has its true count, if each branch is a sample', () => {
    const { found, truth } = counted(withStacks('recorder-contexts', 'period=1 depth=2'));
    // Samples in the first and last instructions of functions are not counted, and with them some ranges.
    expect(found.size).toBeGreaterThan(100);
    expect([...found].filter(([key, count]) => truth.get(key) !== count)).toEqual([]);
  });

  testWith(['clang-22', 'readelf'], 'longer branch stacks give the same contexts and ranges', () => {
    const { found, truth, isCode } = counted(withStacks('recorder-contexts-deep', 'period=1'));
    const expected = [...truth.keys()].filter(isCode).sort();
    expect(expected.length).toBeGreaterThan(200);
    expect([...found.keys()].filter(isCode).sort()).toEqual(expected);
    expect([...found.keys()].filter((key) => !truth.has(key))).toEqual([]);
  });
});

describe('the recorder', () => {
  testWith(['readelf'], 'counts exactly the sum of samples of every branch', () => {
    const flags = ['--binary=program', '--perfdata=perf.data', '--skip-symbolization', '--use-offset=0'];
    for (const [program, separator] of [
      [everyBranch, '-'],
      [onlyNewest, '->'],
    ] as const) {
      const { folder } = recorded(program);
      const sampled = llvmProfgen(folder, flags).output?.toString() ?? '';
      const exact = readFileSync(join(recorded(everyBranch).folder, 'exact.counters'), 'utf8');
      const lines = linesInText(exact, folder, separator);
      expect(lines.length).toBeGreaterThan(20);
      expect(linesInText(sampled, folder, separator)).toEqual(lines);
    }
  });

  testWith(
    ['clang-22'],
    'records jumps to the next instruction, and no branch where code crosses a page',
    () => {
      const { folder } = recorded(nextAndCrossing);
      const exact = readFileSync(join(folder, 'exact.counters'), 'utf8').split('\n');
      const branches = exact.filter((line) => line.includes('->')).map((line) => line.trim());
      const counts = branches.map((line) => Number(line.split(':')[1]));
      // A jump and a call to the next instruction, and the jump back to the loop's start.
      expect(counts).toEqual([1000, 1000, 999]);
      const ends = branches.map((line) => line.split(/->|:/).map((hex) => Number.parseInt(hex, 16)));
      expect(ends.map(([from = 0, to = 0]) => to - from)).toEqual([2, 5, -4098]);
    },
  );

  for (const [linker, flags] of [
    ['lld', '-fuse-ld=lld'],
    ['GNU ld', ''],
    ['GNU ld -N', '-Wl,-N'],
  ] as const)
    testWith(
      ['clang-22', 'readelf'],
      `maps the code of a tiny static program, and no more: ${linker}`,
      () => {
        const { folder } = recorded({
          name: `recorder-tiny-${linker.replaceAll(' ', '')}`,
          files: { 'tiny.s': TINY },
          build: [`clang-22 -nostdlib -static ${flags} tiny.s -o program`],
          record: 'period=97',
        });
        const pageOf = (hex = '') => Number.parseInt(hex, 16) & ~0xfff;
        const { stdout: headers } = run('readelf', ['-lW', 'program'], folder);
        const segments = [...headers.matchAll(/LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) .* [R ][W ]E 0x/g)];
        const { stdout: text } = run('perf', ['script', '--show-mmap-events', '-i', 'perf.data'], folder);
        const mapped = [...text.matchAll(/\[0x([0-9a-f]+)\((\w+)\) @ (?:0x)?([0-9a-f]+).*: r-xp (.*)/g)];
        expect(segments).toHaveLength(1);
        expect(
          mapped.map(([, start, size, offset, path]) => [pageOf(start), size, pageOf(offset), path]),
        ).toEqual(
          segments.map(([, offset, start]) => [
            pageOf(start),
            '0x1000',
            pageOf(offset),
            join(folder, 'program'),
          ]),
        );
      },
    );

  testWith([], 'writes the same bytes when a run is recorded again', () => {
    const { folder } = recorded(everyBranch);
    const recorder = join(repository, 'test/recorder/record-program.sh');
    for (const name of ['first', 'second'])
      shell(`${recorder} ${name}.data period=101 -- ./program >/dev/null`, folder);
    const [first, second] = ['first', 'second'].map((name) => readFileSync(join(folder, `${name}.data`)));
    expect(first?.length).toBeGreaterThan(10_000);
    expect(second?.equals(first ?? Buffer.of())).toBe(true);
  });
});

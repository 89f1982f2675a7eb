import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { llvmProfgen } from './generators.js';
import { type Program, recorded } from './program.js';
import { repository, run, shell, testWith } from './tools.js';

const build = ['gcc -O1 -g $programs/classes.S $programs/classes-main.c -o program'];

/** Every taken branch is a sample of itself and the one before: their runs are all runs there were. */
const everyBranch: Program = {
  name: 'recorder-every-branch',
  build,
  record: 'period=1 depth=2 exact=exact.counters',
};
const onlyNewest: Program = { name: 'recorder-newest-branch', build, record: 'period=1 depth=1' };

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

/** Counter lines of a section of the ELF, the only one that has symbols everywhere. */
function linesInText(counters: string, folder: string, separator: string): string[] {
  const header = run('readelf', ['-SW', 'program'], folder).stdout;
  const [, address = '', size = ''] =
    /\.text +PROGBITS +([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+)/.exec(header) ?? [];
  const start = Number.parseInt(address, 16);
  const end = start + Number.parseInt(size, 16);
  const inText = (hex: string) => Number.parseInt(hex, 16) >= start && Number.parseInt(hex, 16) < end;
  return counters.split('\n').filter((line) => {
    const [from = '', to = '', count] = line.split(/->|-|:/);
    const kind = line.includes('->') ? '->' : '-';
    return count !== undefined && kind === separator && inText(from) && inText(to);
  });
}

describe('the recorder', () => {
  testWith(['readelf'], 'counts exactly what samples of every branch add up to', () => {
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
      // A jump and a call to what follows them, and the jump back to the loop's start.
      expect(counts).toEqual([1000, 1000, 999]);
      const ends = branches.map((line) => line.split(/->|:/).map((hex) => Number.parseInt(hex, 16)));
      expect(ends.map(([from = 0, to = 0]) => to - from)).toEqual([2, 5, -4098]);
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

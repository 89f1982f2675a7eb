import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { printable } from '../../src/report/format.js';
import { DEFAULT_MODES, expectSame, MODES } from './compare.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { llvmProfgen, llvmProfgen19, type Outcome, ours, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { cli, shell, testWith } from './tools.js';

const codec = '$programs/codec.c $programs/codec-main.c';

const programs: Program[] = [
  { name: 'script-pie', tools: ['clang-22'], build: [`${CLANG} ${AUTOFDO} ${codec} -o program`] },
  {
    name: 'script-static',
    tools: ['clang-22'],
    build: [`${CLANG} -static -fdebug-info-for-profiling $fixtures/calc.c -o program`],
    record: 'period=2003 depth=16',
  },
  { name: 'script-gcc', build: ['gcc -O2 -g $programs/matrix.c $programs/matrix-main.c -o program'] },
];

/** Writes perf's text of a recording with these fields. */
function print(program: Program, fields: string): { folder: string; script: string } {
  const { folder, perfData } = recorded(program);
  const script = `${fields.replaceAll(',', '-')}.script`;
  shell(`perf script --show-mmap-events -F ${fields} -i ${perfData} >${script} 2>/dev/null`, folder);
  return { folder, script };
}

/** Writes a text that is derived from perf's text. Returns its name. */
function rewritten(
  program: Program,
  name: string,
  change: (lines: string[]) => string | Buffer,
  fields = 'ip,brstack',
) {
  const { folder, script } = print(program, fields);
  const lines = readFileSync(join(folder, script), 'utf8').split('\n').slice(0, -1);
  const path = `${name}.script`;
  writeFileSync(join(folder, path), change(lines));
  return { folder, script: path };
}

const flagsOf = (script: string) => ['--binary=program', `--perfscript=${script}`];
const isMapping = (line: string) => line.includes('PERF_RECORD_MMAP');

/** Unlike llvm-profgen, our command prints no characters that control a terminal. */
function expectSameWords(found: Outcome, expected: Outcome): void {
  expectSame(found, expected, true);
  expect(found.warnings).toEqual(expected.warnings.map(printable));
}

/** Returns a generator of pseudo-random numbers, which are the same in every run. */
function generatorOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

/**
 * Makes call stacks from the present branches: a return leads to the address after a call, other branches do not.
 */
function withCallStacks(lines: string[]): string {
  const samples = lines.map((line, index) => {
    if (isMapping(line)) return line;
    const [address = '', ...entries] = line.trim().split(/ +/);
    const targets = entries.slice(0, 1 + (index % 5)).map((entry) => entry.split('/')[1]?.slice(2) ?? '');
    const frames = index % 7 === 0 ? [address, 'ffffffff'] : index % 11 === 0 ? ['ffffffff'] : [address];
    const stack = [...frames, ...targets].map((frame) => `\t${frame.padStart(16)}\n`).join('');
    return `${stack} ${entries.join(' ')} \n`;
  });
  return `${samples.join('\n')}\n`;
}

/**
 * Makes call stacks whose return addresses lie after possible direct calls. Some are real, and the others break
 * the stack.
 */
function withReturnAddresses(lines: string[]): string {
  const samples = lines.map((line, index) => {
    if (isMapping(line)) return line;
    const [address = '', ...entries] = line.trim().split(/ +/);
    const behind = entries.map((entry) => (BigInt(entry.split('/')[0] ?? 0) + 5n).toString(16));
    const frames = [address, ...behind.slice(index % 4, (index % 4) + 1 + (index % 6))];
    if (index % 9 === 0) frames.splice(1 + (index % 3), 0, 'ffffffff');
    return `${frames.map((frame) => `\t${frame.padStart(16)}\n`).join('')} ${entries.join(' ')} \n`;
  });
  return `${samples.join('\n')}\n`;
}

/**
 * Returns a text profile without the marks of inlined functions. If contexts become the same, the marks depend on
 * a hash table of llvm-profgen.
 */
function withoutAttributes({ output }: Outcome): string[] {
  return (output?.toString() ?? '').split('\n').filter((line) => !line.includes('!Attributes: '));
}

for (const program of programs) {
  const tools = program.tools ?? [];
  describe(`perf script of ${program.name}`, () => {
    for (const { name, flags, text = false } of MODES) {
      testWith(tools, `${name}, --compat`, () => {
        const { folder, script } = print(program, 'ip,brstack');
        const all = [...flagsOf(script), ...flags];
        const theirs = llvmProfgen(folder, all);
        const compatible = oursCompatible(folder, all);
        expectSame(compatible, theirs, text);
        expect(compatible.warnings).toEqual(theirs.warnings);
        expect(theirs.output?.length, 'llvm-profgen found samples').toBeGreaterThan(0);
      });
    }

    for (const { name, flags, text = false } of DEFAULT_MODES) {
      testWith(tools, `${name}, default: as from the recording itself`, () => {
        const { folder, script } = print(program, 'ip,brstack');
        const fromText = ours(folder, [...flagsOf(script), ...flags]);
        expectSame(fromText, llvmProfgen(folder, [...flagsOf(script), ...flags]), text);
        expectSame(fromText, ours(folder, ['--binary=program', '--perfdata=perf.data', ...flags]), text);
      });
    }

    testWith(tools, 'with other fields before the branches', () => {
      const plain = print(program, 'ip,brstack');
      const expected = ours(plain.folder, [...flagsOf(plain.script), '--format=text']);
      for (const fields of [
        'comm,pid,tid,cpu,time,event,ip,brstack',
        'brstack',
        'comm,ip,sym,brstack',
        'pid,ip,brstack',
        'ip,brstack,srcline',
        'ip,brstack,dso',
        '+brstack',
      ]) {
        const { folder, script } = print(program, fields);
        expectSame(ours(folder, [...flagsOf(script), '--format=text']), expected, true);
      }
    });

    testWith(tools, 'with an event that is selected by its name', () => {
      const { folder, script } = print(program, 'event,ip,brstack');
      const name = /^ *(raw \S+):/m.exec(readFileSync(join(folder, script), 'utf8'))?.[1];
      const all = [...flagsOf(script), '--skip-symbolization'];
      expectSame(ours(folder, [...all, `--event=${name}`]), ours(folder, all), true);
      expect(ours(folder, [...all, '--event=other']).stderr).toMatch(/deselected by the options/);
    });

    testWith(tools, 'with counts before samples', () => {
      const { folder, script } = rewritten(program, 'counted', (lines) => {
        const counts = new Map<string, number>();
        for (const line of lines.filter((line) => !isMapping(line)))
          counts.set(line, (counts.get(line) ?? 0) + 1);
        const counted = [...counts].map(([line, count]) => `${count}\n${line}\n`);
        return `${lines.filter(isMapping).join('\n')}\n${counted.join('')}`;
      });
      const all = [...flagsOf(script), '--skip-symbolization'];
      const theirs = llvmProfgen(folder, all);
      expectSameWords(oursCompatible(folder, all), theirs);
      expectSame(ours(folder, all), theirs, true);
      expect(theirs.output?.length).toBeGreaterThan(100);
    });

    for (const flags of [[], ['--skip-symbolization'], ['--show-detailed-warning']]) {
      testWith(tools, `call stacks ${flags}`, () => {
        const { folder, script } = rewritten(program, 'stacks', withCallStacks);
        const all = [...flagsOf(script), '--ignore-stack-samples', '--format=text', ...flags];
        const theirs = llvmProfgen(folder, all);
        const compatible = oursCompatible(folder, all);
        expectSame(compatible, theirs, true);
        // llvm-profgen prints details in the order of a hash table.
        expect(compatible.warnings.toSorted()).toEqual(theirs.warnings.toSorted());
        expect(theirs.stderr).toMatch(/leaf external frame/);
        expect(theirs.stderr).toMatch(/truncated stack samples/);
        expect(theirs.output?.length).toBeGreaterThan(100);
        expectSame(ours(folder, all), theirs, true);
      });
    }

    for (const flags of [
      [],
      ['--gen-cs-nested-profile=0'],
      ['--gen-cs-nested-profile=0', '--csprof-merge-cold-context=0', '--compress-recursion=0'],
      ['--gen-cs-nested-profile=0', '--csprof-max-context-depth=2', '--csprof-max-cold-context-depth=3'],
      ['--gen-cs-nested-profile=0', '--profile-summary-hot-count=9', '--trim-cold-profile'],
    ]) {
      testWith(tools, `calling contexts ${flags}`, () => {
        for (const stacks of [withCallStacks, withReturnAddresses]) {
          const { folder, script } = rewritten(program, stacks.name, stacks);
          const all = [...flagsOf(script), '--format=text', '--csspgo-preinliner=0', ...flags];
          const theirs = llvmProfgen(folder, all);
          const compatible = oursCompatible(folder, all);
          expect(withoutAttributes(compatible)).toEqual(withoutAttributes(theirs));
          expect(compatible.warnings.toSorted()).toEqual(theirs.warnings.toSorted());
          expect(theirs.output?.length).toBeGreaterThan(100);
          expect(withoutAttributes(ours(folder, all))).toEqual(withoutAttributes(theirs));
        }
      });
    }

    for (const selection of [
      ['--perf-event=NAME'],
      ['--perf-events=other,NAME'],
      ['--perf-event=NAME', '--leading-ip-only'],
      ['--perf-event=NAME', '--sample-period=1009'],
      ['--perf-event=NAME', '--sample-period=1009', '--leading-ip-only'],
      ['--leading-ip-only'],
      ['--sample-period=100003'],
    ]) {
      testWith([...tools, 'llvm-profgen-19'], `as llvm-profgen 19: ${selection.join(' ')}`, () => {
        // The name of the recorder's event has a blank, which llvm-profgen does not expect, so it is replaced.
        // Every second sample gets another name.
        const names = ['cycles:upp', 'branch-misses:u'];
        const rename = (line: string, index: number) =>
          line.replace(/^ *raw [^ ]+:(?= )/, `${names[index % 2]}:`);
        const { folder, script } = rewritten(
          program,
          'events',
          (lines) => `${lines.map(rename).join('\n')}\n`,
          'event,ip,brstack',
        );
        const named = selection.map((flag) => flag.replace('NAME', 'cycles:upp'));
        for (const more of [['--skip-symbolization'], ['--format=text']]) {
          const all = [...flagsOf(script), ...named, ...more];
          const theirs = llvmProfgen19(folder, all);
          expectSame(ours(folder, all), theirs, true);
          const compatible = oursCompatible(folder, all);
          expectSame(compatible, theirs, true);
          // If there are many such lines, our warnings name only some of them.
          const isOfLine = (warning: string) => /in line \d+|further lines?/.test(warning);
          expect(compatible.warnings.filter((warning) => !isOfLine(warning))).toEqual(
            theirs.warnings.filter((warning) => !isOfLine(warning)),
          );
        }
      });
    }

    testWith(tools, 'a pipe, a FIFO and a file', () => {
      const { folder, script } = print(program, 'ip,brstack');
      const flags = '--binary=program --skip-symbolization';
      const generate = `${process.execPath} ${cli} ${flags}`;
      shell(`cat ${script} | ${generate} --perfscript=- -o piped.counters 2>&1`, folder);
      shell(
        `rm -f fifo; mkfifo fifo; cat ${script} >fifo & ${generate} --ps fifo -o fifo.counters 2>&1`,
        folder,
      );
      const [piped, fifo] = ['piped', 'fifo'].map((name) =>
        readFileSync(join(folder, `${name}.counters`), 'utf8'),
      );
      const expected = ours(folder, [...flagsOf(script), '--skip-symbolization']).output?.toString();
      expect(piped).toBe(expected);
      expect(fifo).toBe(expected);
    });
  });
}

/** Ways to damage a text. Each is given the whole text and random numbers. */
const damages: Record<string, (text: Buffer, random: (below: number) => number) => Buffer> = {
  'cut off': (text, random) => text.subarray(0, text.length / 2 + random(text.length / 2)),
  'without its last line end': (text) => text.subarray(0, -1),
  'with carriage returns': (text) => Buffer.from(text.toString().replaceAll('\n', '\r\n')),
  'with other white space': (text) => Buffer.from(text.toString().replaceAll('  0x', ' \t0x')),
  'with changed bytes': (text, random) => {
    const changed = Buffer.from(text);
    for (let count = 0; count < 300; count++) changed[random(changed.length)] = 9 + random(119);
    return changed;
  },
  'with binary bytes': (text, random) => {
    const changed = Buffer.from(text);
    for (let count = 0; count < 300; count++) changed[random(changed.length)] = random(256) || 10;
    return changed;
  },
  'with missing pieces': (text, random) => {
    const pieces = [];
    for (let at = 0; at < text.length; at += 20_000)
      pieces.push(text.subarray(at, at + 20_000 - random(200)));
    return Buffer.concat(pieces);
  },
  'with lines in another order': (text, random) => {
    const lines = text.toString().split('\n');
    for (let count = 0; count < 200; count++) {
      const [a, b] = [random(lines.length), random(lines.length)];
      [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    }
    return Buffer.from(lines.join('\n'));
  },
  'with a very long line': (text, random) => {
    const at = text.indexOf('\n', random(text.length / 2)) + 1;
    const entry = ' 0x1000/0x2000/P/-/-/0 ';
    return Buffer.concat([
      text.subarray(0, at),
      Buffer.from(`${entry.repeat(100_000)}\n`),
      text.subarray(at),
    ]);
  },
  'with counts here and there': (text, random) => {
    const lines = text.toString().split('\n');
    return Buffer.from(lines.map((line) => (random(9) === 0 ? `${random(50)}\n${line}` : line)).join('\n'));
  },
};

describe('damaged text of perf script', () => {
  const [program] = programs as [Program, ...Program[]];
  for (const [name, damage] of Object.entries(damages)) {
    for (const stacks of [false, true]) {
      for (const seed of [1, 2]) {
        testWith(program.tools ?? [], `${name}${stacks ? ', call stacks' : ''}, ${seed}`, () => {
          const file = `damaged-${name.replaceAll(' ', '-')}-${stacks}-${seed}`;
          const { folder, script } = rewritten(program, file, (lines) => {
            const text = stacks ? withCallStacks(lines) : `${lines.join('\n')}\n`;
            return damage(Buffer.from(text), generatorOf(seed));
          });
          const all = [...flagsOf(script), '--skip-symbolization', '--ignore-stack-samples'];
          const [theirs, compatible] = [llvmProfgen(folder, all), oursCompatible(folder, all)];
          expect(compatible.status).toBe(theirs.status);
          if (theirs.status === 0) expectSameWords(compatible, theirs);
        });
      }
    }
  }
});

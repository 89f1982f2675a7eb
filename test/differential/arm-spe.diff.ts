import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { llvmProfgen, type Outcome, ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { run, testWith } from './tools.js';

const clang =
  'clang-22 --target=aarch64-linux-gnu -static -fuse-ld=lld -O2 -g -fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true';
const tools = ['clang-22', 'ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'] as const;
/** Least similarity of the sampled counts with the executed counts, in percent. */
const SIMILAR = 99;

const codec = `${clang} $programs/codec.c $programs/codec-main.c -o program`;
const interpreter = `${clang} $programs/interpreter.c -o program`;

/** Recordings with the target of the branch before each sampled branch, and recordings without it. */
const programs: Program[] = [
  { name: 'arm-spe-pbt', build: [codec], record: 'spe=pbt period=31 exact=exact.counters' },
  { name: 'arm-spe', build: [codec], record: 'spe=1 period=31 exact=exact.counters' },
  { name: 'arm-spe-switch-pbt', build: [interpreter], record: 'spe=pbt period=101 exact=exact.counters' },
  { name: 'arm-spe-switch', build: [interpreter], record: 'spe=1 period=101 exact=exact.counters' },
];

const inputs = ['--binary=program', '--perfdata=perf.data', '--format=text', '--verbose'];
const truth = [
  '--binary=program',
  '--unsymbolized-profile=exact.counters',
  '--use-offset=0',
  '--format=text',
];

function done(outcome: Outcome): string {
  expect(outcome.status, outcome.stderr).toBe(0);
  return outcome.output?.toString() ?? '';
}

describe('a profile of Arm SPE', () => {
  for (const program of programs) {
    testWith([...tools, 'llvm-profdata-22'], `is similar to the executed counts: ${program.name}`, () => {
      const { folder } = recorded(program);
      const found = ours(folder, inputs);
      writeFileSync(join(folder, 'expected.prof'), done(llvmProfgen(folder, truth)));
      writeFileSync(join(folder, 'found.prof'), done(found));
      const overlap = ['overlap', '--sample', 'expected.prof', 'found.prof'];
      const { stdout } = run('llvm-profdata-22', overlap, folder);
      expect(Number(/profile similarity: ([\d.]+)%/.exec(stdout)?.[1])).toBeGreaterThan(SIMILAR);
      expect(found.stderr).not.toContain('trace-damaged');
    });

    /**
     * perf prints the packets of each piece by itself, so packets that lie across two pieces are missing in its
     * output.
     */
    testWith([...tools, 'perf'], `has the branches that perf finds in the trace: ${program.name}`, () => {
      const { folder } = recorded(program);
      const { stdout } = run('perf', ['script', '-D', '-i', 'perf.data'], folder);
      const packets = (pattern: RegExp) => [...stdout.matchAll(pattern)].length;
      const [branches, notTaken] = [packets(/ PC 0x/g), packets(/ EV RETIRED NOT-TAKEN/g)];
      const pieces = packets(/PERF_RECORD_AUXTRACE size/g);
      const sampled = /Arm SPE sampled (\d+) branches, ([\d.]+) % of which were taken/.exec(
        ours(folder, inputs).stderr,
      );
      const count = Number(sampled?.[1]);
      expect(branches).toBeGreaterThan(1000);
      expect(count - branches).toBeGreaterThanOrEqual(0);
      expect(count - branches).toBeLessThanOrEqual(pieces);
      expect(Math.abs(100 - Number(sampled?.[2]) - (100 * notTaken) / branches)).toBeLessThan(0.2);
    });
  }
});

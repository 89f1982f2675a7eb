import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cli, run, shell, testWith } from './tools.js';

/** A second of work in a few processes, so that there are forks, execs and mappings while perf records. */
const LOAD = `sh -c 'for i in 1 2 3; do perl -e "for (1 .. 1500000) { \\$x += \\$_ }" & done; wait'`;

/** What this perf can record without a PMU. `{}` is where the recording goes. */
const RECORDINGS: Record<string, string> = {
  plain: `perf record -o {} -e cpu-clock -- ${LOAD}`,
  'user code only': `perf record -o {} -e cpu-clock:u -- ${LOAD}`,
  'fixed period': `perf record -o {} -e cpu-clock -c 1000000 -- ${LOAD}`,
  'call chains': `perf record -o {} -e cpu-clock -g -- ${LOAD}`,
  'stack dumps': `perf record -o {} -e cpu-clock -F 300 --call-graph dwarf,2048 -- ${LOAD}`,
  'system wide': `perf record -o {} -e cpu-clock -a -F 500 -- ${LOAD}`,
  compressed: `perf record -o {} -e cpu-clock -z -F 5000 -g -- ${LOAD}`,
  'several events': `perf record -o {} -e cpu-clock,task-clock,page-faults,dummy -- ${LOAD}`,
  'a group that is read': `perf record -o {} -e '{cpu-clock,task-clock,page-faults}:S' -- ${LOAD}`,
  'build ids in mappings': `perf record -o {} -e cpu-clock --buildid-mmap -- ${LOAD}`,
  'data addresses': `perf record -o {} -e cpu-clock -d -- ${LOAD}`,
  registers: `perf record -o {} -e cpu-clock -F 500 --user-regs=ip,sp --intr-regs=ip,sp -- ${LOAD}`,
  switches: `perf record -o {} -e cpu-clock --switch-events -- ${LOAD}`,
  namespaces: `perf record -o {} -e cpu-clock --namespaces --all-cgroups -- ${LOAD}`,
  'per thread': `perf record -o {} -e cpu-clock --per-thread -- ${LOAD}`,
  'tail synthesis': `perf record -o {} -e cpu-clock --tail-synthesize -- ${LOAD}`,
  'a directory of threads': `perf record -o {} -e cpu-clock --threads -a -F 500 -- ${LOAD}`,
  'a pipe': `perf record -o - -e cpu-clock -- ${LOAD} > {}`,
  'a pipe of several events': `perf record -o - -e cpu-clock,page-faults -g -- ${LOAD} > {}`,
  'build ids injected': `perf record -o {}.raw -e cpu-clock -- ${LOAD}; perf inject -b -i {}.raw -o {}`,
};

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-recordings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** perf's own count of a kind of record. */
function counted(stats: string, kind: string): number {
  const [, count] = new RegExp(`^ +${kind} events: +(\\d+)`, 'm').exec(stats) ?? [];
  return Number(count ?? 0);
}

describe('inspect counts what perf counts', () => {
  for (const [name, command] of Object.entries(RECORDINGS)) {
    testWith(['perl'], name, () => {
      const path = join(folder, name.replaceAll(' ', '-'));
      shell(`export HOME=${folder}; ${command.replaceAll('{}', path)} 2>/dev/null`, folder);
      const stats = run('perf', ['report', '--stats', '-i', path], folder).stdout;
      const inspected = run(process.execPath, [cli, 'inspect', '--json', path], folder);
      expect(inspected.stderr).toBe('');
      const facts = JSON.parse(inspected.stdout) as { samples: number; mmaps: number; complete: boolean };
      expect(facts.samples).toBeGreaterThan(0);
      expect(facts).toMatchObject({
        samples: counted(stats, 'SAMPLE'),
        mmaps: counted(stats, 'MMAP') + counted(stats, 'MMAP2'),
        complete: true,
      });
    });
  }
});

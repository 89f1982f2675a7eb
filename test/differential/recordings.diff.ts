import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { cli, repository, run, shell, testWith } from './tools.js';

/** A second of work in a few processes, so that there are forks, execs and mappings while perf records. */
const LOAD = `sh -c 'for i in 1 2 3; do perl -e "for (1 .. 1500000) { \\$x += \\$_ }" & done; wait'`;
/** Kills perf once its file is larger than `bytes`. */
const killed = (bytes: number, options: string) =>
  `perf record -o {} ${options} -- perl -e '1 while 1' >/dev/null 2>&1 & perf=$!; ` +
  `for i in $(seq 100); do sleep 0.1; [ "$(stat -c %s {} 2>/dev/null || echo 0)" -gt ${bytes} ] && break; done; ` +
  `load=$(pgrep -P $perf); kill -9 $perf; kill $load; wait $perf || true`;
/** Tracepoints need tracefs, which is mounted only for this command. */
const traced = (command: string) =>
  `unshare -m sh -c ${JSON.stringify(`mount -t tracefs none /sys/kernel/tracing 2>/dev/null; ${command}`.replaceAll('$', '\\$'))}`;
const SHORT = `perl -e 'for (1 .. 3000000) { $x += $_ }'`;

/** Recordings that this perf can make without a PMU. `{}` stands for the file. */
const RECORDINGS: Record<string, string> = {
  plain: `perf record -o {} -e cpu-clock -- ${LOAD}`,
  'user code only': `perf record -o {} -e cpu-clock:u -- ${SHORT}`,
  'fixed period': `perf record -o {} -e cpu-clock -c 1000000 -- ${SHORT}`,
  'call chains': `perf record -o {} -e cpu-clock -g -- ${LOAD}`,
  'stack dumps': `perf record -o {} -e cpu-clock -F 300 --call-graph dwarf,2048 -- ${LOAD}`,
  'system wide': `perf record -o {} -e cpu-clock -a -F 500 -- ${SHORT}`,
  compressed: `perf record -o {} -e cpu-clock -z -F 5000 -g -- ${LOAD}`,
  'compressed, records cut': `perf record -o {} -e cpu-clock -z -F 20000 --call-graph dwarf,8192 -- ${SHORT}`,
  'several events': `perf record -o {} -e cpu-clock,task-clock,page-faults,context-switches,dummy -- ${LOAD}`,
  'a group that is read': `perf record -o {} -e '{cpu-clock,task-clock,page-faults}:S' -- ${SHORT}`,
  'counters that are read': `perf record -o {} -e cpu-clock/freq=1000/S,page-faults/freq=100/S -- ${SHORT}`,
  'build ids in mappings': `perf record -o {} -e cpu-clock --buildid-mmap -- ${SHORT}`,
  'data addresses': `perf record -o {} -e cpu-clock -d -- ${SHORT}`,
  'physical addresses': `perf record -o {} -e cpu-clock -d --phys-data -- ${SHORT}`,
  'page sizes': `perf record -o {} -e cpu-clock -d --data-page-size --code-page-size -- ${SHORT}`,
  identifiers: `perf record -o {} -e cpu-clock --sample-identifier -- ${SHORT}`,
  weights: `perf record -o {} -e cpu-clock -W -- ${SHORT}`,
  registers: `perf record -o {} -e cpu-clock -F 500 --user-regs=ip,sp,bp --intr-regs=ip,sp -- ${SHORT}`,
  'raw data': `perf record -o {} -e cpu-clock -R -- ${SHORT}`,
  'another clock': `perf record -o {} -e cpu-clock -k CLOCK_REALTIME -- ${SHORT}`,
  switches: `perf record -o {} -e cpu-clock --switch-events -- ${LOAD}`,
  'switches of all': `perf record -o {} -e cpu-clock -a -F 300 --switch-events -- ${SHORT}`,
  namespaces: `perf record -o {} -e cpu-clock --namespaces --all-cgroups -- ${SHORT}`,
  'per thread': `perf record -o {} -e cpu-clock --per-thread -- ${SHORT}`,
  'children left out': `perf record -o {} -e cpu-clock -i -- ${LOAD}`,
  'tail synthesis': `perf record -o {} -e cpu-clock --tail-synthesize -- ${SHORT}`,
  'no synthesis': `perf record -o {} -e cpu-clock --synth=no -- ${SHORT}`,
  'a chain of execs': `perf record -o {} -e cpu-clock -- sh -c '${SHORT.replaceAll("'", '"').replaceAll('$', '\\$')}; exec sh -c true'`,
  'lost records': `perf record -o {} -e cpu-clock -m 2 -F 5000 --call-graph dwarf,2048 -- ${SHORT}`,
  'a directory of threads': `perf record -o {} -e cpu-clock --threads -a -F 500 -- ${LOAD}`,
  'a compressed directory': `perf record -o {} -e cpu-clock --threads -a -z -F 2000 -g -- ${LOAD}`,
  'a pipe': `perf record -o - -e cpu-clock -- ${LOAD} > {}`,
  'a pipe of several events': `perf record -o - -e cpu-clock,page-faults -g -- ${LOAD} > {}`,
  'a pipe, compressed': `perf record -o - -e cpu-clock -z -- ${LOAD} > {}`,
  'a pipe with build ids': `perf record -o - -e cpu-clock --buildid-mmap -- ${SHORT} > {}`,
  "a pipe with perf's own words": `perf record -o - -e cpu-clock -- ${SHORT} > {} 2>&1`,
  'build ids injected': `perf record -o {}.raw -e cpu-clock -- ${SHORT}; perf inject -b -i {}.raw -o {}`,
  'all build ids injected': `perf record -o {}.raw -e cpu-clock -- ${SHORT}; perf inject --buildid-all -i {}.raw -o {}`,
  'decompressed by inject': `perf record -o {}.raw -z -e cpu-clock -- ${SHORT}; perf inject -b -i {}.raw -o {}`,
  'switches injected': `perf record -o {}.raw -e cpu-clock -- ${SHORT}; perf inject -s -i {}.raw -o {}`,
  tracepoints: traced(`perf record -o {} -e sched:sched_switch,cpu-clock -- sleep 0.3`),
  'a pipe with tracepoints': traced(`perf record -o - -e sched:sched_switch,cpu-clock -- sleep 0.3 > {}`),
  'perf killed': killed(20000, '-F 4000 -m 4 -e cpu-clock'),
  'perf killed, compressed': killed(6000, '-F 4000 -m 4 -g -z -e cpu-clock'),
  'perf killed at once': killed(1, '-F 100 -e cpu-clock'),
};
/** Recordings whose records perf itself cannot count. */
const NOT_FOR_PERF = /^perf killed|^a pipe, compressed|^a pipe with (perf's|tracepoints)/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'autofdo-gen-recordings-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Facts {
  samples: number;
  mmaps: number;
  complete: boolean;
  events: string[];
  error?: string;
  [fact: string]: unknown;
}

/** Returns a reader's facts about each file. The reader prints one object for each file, on a line of its own. */
function factsOf(command: string, args: string[], ...paths: string[]): Facts[] {
  const { status, stdout, stderr } = run(command, [...args, ...paths], folder);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const facts = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Facts);
  expect(facts).toHaveLength(paths.length);
  return facts;
}

const EXAMPLE = [
  'run',
  '--quiet',
  '--manifest-path',
  `${repository}native/Cargo.toml`,
  '-p',
  'perfdata',
  '--example',
];
const inRust = (...paths: string[]) => factsOf('cargo', [...EXAMPLE, 'perfdata_facts', '--'], ...paths);
const inPython = (path: string) => factsOf('python3', [join(import.meta.dirname, 'raw-facts.py')], path)[0];
/** Returns the facts that `inspect` finds in a recording. */
function inspected(path: string): Facts {
  const { status, stdout, stderr } = run(process.execPath, [cli, 'inspect', '--json', path], folder);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const summary = JSON.parse(stdout) as Facts;
  return { ...summary, events: summary['eventNames'] as string[] };
}

/**
 * Compares the decoded records, and the facts of `inspect`, with the facts of another reader. Returns these facts.
 */
function compareReaders(path: string): Facts {
  const found = inPython(path);
  if (found === undefined) throw new Error('nothing found');
  const { path: _, ipSum, periodSum, branchFromSum, branchToSum, unknownEvent, malformed, ...facts } = found;
  const sums = { ipSum, periodSum, branchFromSum, branchToSum };
  expect(inspected(path)).toMatchObject({ ...facts, unreadable: { unknownEvent, tooShort: malformed } });
  expect(inRust(path)[0]).toMatchObject({ ...facts, ...sums, unknownEvent, malformed });
  return found;
}

/** Returns perf's own count of records of one kind. */
function counted(stats: string, kind: string): number {
  const [, count] = new RegExp(`^ +${kind} events: +(\\d+)`, 'm').exec(stats) ?? [];
  return Number(count ?? 0);
}

describe('the reader, another reader and perf find the same in', () => {
  for (const [name, command] of Object.entries(RECORDINGS)) {
    testWith(['perl', 'python3', 'cargo'], name, () => {
      const path = join(folder, name.replaceAll(/[^a-z]+/g, '-'));
      const quiet = command.includes('2>&1') ? '' : '2>/dev/null';
      shell(`export HOME=${folder}; { ${command.replaceAll('{}', path)}; } ${quiet}`, folder);
      const facts = compareReaders(path);
      expect(facts.complete).toBe(!name.startsWith('perf killed'));
      if (name !== 'perf killed at once') expect(facts.samples).toBeGreaterThan(0);
      if (NOT_FOR_PERF.test(name)) return;
      const stats = run('perf', ['report', '--stats', '-i', path], folder).stdout;
      expect(facts).toMatchObject({
        samples: counted(stats, 'SAMPLE'),
        mmaps: counted(stats, 'MMAP') + counted(stats, 'MMAP2'),
      });
    });
  }
});

/** Returns the start and the size of a file's records in bytes, and the places of its samples. */
function anatomy(bytes: Buffer): { start: number; size: number; samples: number[] } {
  const [start, size] = [Number(bytes.readBigUInt64LE(40)), Number(bytes.readBigUInt64LE(48))];
  const samples: number[] = [];
  for (let at = start; at < start + size; at += bytes.readUInt16LE(at + 6)) {
    if (bytes.readUInt32LE(at) === 9) samples.push(at);
  }
  return { start, size, samples };
}

/** Ways to damage a file. A result `undefined` keeps the bytes as the function changed them. */
const DAMAGE: Record<string, (bytes: Buffer, found: ReturnType<typeof anatomy>) => Buffer | undefined> = {
  'cut amid the records': (bytes, { start, size }) => bytes.subarray(0, start + (size >>> 1) + 3),
  'cut amid the features': (bytes, { start, size }) => bytes.subarray(0, start + size + 40),
  'a data size of 0': (bytes) => void bytes.writeBigUInt64LE(0n, 48),
  'a record of size 0': (bytes, { samples }) => void bytes.writeUInt16LE(0, middle(samples) + 6),
  'a record of the unknown type 200': (bytes, { samples }) => void bytes.writeUInt32LE(200, middle(samples)),
  'a record of the unknown type 40': (bytes, { samples }) => void bytes.writeUInt32LE(40, middle(samples)),
};

function middle<T>(items: T[]): T {
  const item = items[items.length >>> 1];
  if (item === undefined) throw new Error('nothing there');
  return item;
}

describe('the readers and a third one find the same in a damaged file:', () => {
  const recorded = (name: string) => join(folder, `intact-${name}`);
  beforeAll(() => {
    shell(`perf record -o ${recorded('file')} -e cpu-clock -- ${SHORT} 2>/dev/null`, folder);
    shell(`perf record -o ${recorded('events')} -e cpu-clock,task-clock -- ${SHORT} 2>/dev/null`, folder);
    shell(`perf record -o - -e cpu-clock -- ${SHORT} 2>/dev/null > ${recorded('pipe')}`, folder);
  });

  for (const [name, damage] of Object.entries(DAMAGE)) {
    testWith(['perl', 'python3', 'cargo'], name, () => {
      const bytes = readFileSync(recorded('file'));
      const path = join(folder, `damaged-${name.replaceAll(' ', '-')}`);
      const found = anatomy(bytes);
      writeFileSync(path, damage(bytes, found) ?? bytes);
      const { samples, complete } = compareReaders(path);
      expect(samples).toBeGreaterThan(found.samples.length / 3);
      expect(complete).toBe(name.startsWith('a record of the unknown'));
    });
  }

  testWith(['perl', 'python3', 'cargo'], 'an id that belongs to no event', () => {
    const bytes = readFileSync(recorded('events'));
    // The id stands after IP, TID and TIME, because the attr has all of these.
    bytes.writeBigUInt64LE(0xdeadbeefn, middle(anatomy(bytes).samples) + 8 + 3 * 8);
    const path = join(folder, 'unknown-id');
    writeFileSync(path, bytes);
    expect(compareReaders(path)).toMatchObject({ complete: true, unknownEvent: 1 });
  });

  testWith(['perl', 'python3', 'cargo'], 'a pipe that is cut', () => {
    const bytes = readFileSync(recorded('pipe'));
    const path = join(folder, 'cut-pipe');
    writeFileSync(path, bytes.subarray(0, Math.floor((bytes.length * 2) / 3) + 5));
    expect(compareReaders(path).complete).toBe(false);
  });
});

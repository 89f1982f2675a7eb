import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { inspectPerfData } from '../../src/index.js';
import { inspectWithOracle } from '../oracle/inspect.js';
import {
  BRANCH_EVENT,
  type BranchEntry,
  PerfDataBuilder,
  SAMPLE_TYPE,
} from '../support/perf-data-builder.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();

const BRANCHES: BranchEntry[] = [
  { from: 0x401010n, to: 0x401000n },
  { from: 0x7fff_ffff_f010n, to: 0xffff_ffff_8100_0000n },
  { from: 0n, to: 0n },
];

function recording(littleEndian = true): PerfDataBuilder {
  return new PerfDataBuilder({ littleEndian })
    .event(BRANCH_EVENT)
    .mmap(1, 0x400000n, 0x10000n, '/bin/app')
    .sample({ ip: 0x401000n, time: 1_500_000_001n, branches: BRANCHES })
    .sample({ ip: 0x401004n, time: 2_000_000_000n, branches: [] })
    .sample({ ip: 0x999999n, time: 3_000_000_000n, branches: BRANCHES.slice(0, 1) });
}

describe.each([
  ['little-endian', true],
  ['big-endian', false],
] as const)('a %s recording', (_, littleEndian) => {
  it.each(['file', 'pipe'] as const)('is counted as a %s', async (container) => {
    const path = temporary.write(`${container}-${littleEndian}.data`, recording(littleEndian)[container]());
    const summary = await inspectPerfData(path);
    expect(summary).toMatchObject({
      endian: littleEndian ? 'little' : 'big',
      pipe: container === 'pipe',
      version: 2,
      complete: true,
      problems: [],
      samples: 3n,
      mmaps: 1,
      branchSamples: 2n,
      branchEntries: 4n,
      branchDepth: 3,
      eventNames: ['cycles'],
      timeSpan: { first: '1.500000001', last: '3.000000000' },
      images: [{ path: '/bin/app', samples: 2n }],
    });
    const sum = (pick: (entry: BranchEntry) => bigint) =>
      BigInt.asUintN(
        64,
        [...BRANCHES, ...BRANCHES.slice(0, 1)].reduce((total, entry) => total + pick(entry), 0n),
      )
        .toString(16)
        .padStart(16, '0');
    const oracle = await inspectWithOracle(path);
    expect(oracle.branchFromSum).toBe(sum(({ from }) => from));
    expect(oracle.branchToSum).toBe(sum(({ to }) => to));
    expect(summary.events[0]).toMatchObject({ branchFilter: ['u', 'any'], period: 1000n, branchEntries: 4n });
    expect(summary.autofdo).toEqual({ usable: true, reasons: [], advice: undefined });
  });

  it('reads the features', async () => {
    const builder = recording(littleEndian);
    const commandLine = builder
      .bytes()
      .u32(2)
      .raw(builder.featureString('perf'))
      .raw(builder.featureString('record'));
    const id = Uint8Array.from({ length: 20 }, (_, index) => index + 1);
    const buildId = (size: number, name: string) => {
      const body = builder.bytes().u32(1).raw(id).raw([size, 0, 0, 0]).text(name).toBytes();
      return builder
        .bytes()
        .u32(0)
        .u16(0x8000)
        .u16(body.length + 8)
        .raw(body)
        .toBytes();
    };
    const eventDescription = builder
      .bytes()
      .u32(1)
      .u32(136)
      .raw(builder.attrBytes(BRANCH_EVENT))
      .u32(0)
      .raw(builder.featureString('br_inst_retired.near_taken:u'))
      .toBytes();
    const path = temporary.write(
      `features-${littleEndian}.data`,
      builder
        .feature(2, Buffer.concat([buildId(20, '/bin/app'), buildId(16, '[kernel.kallsyms]_text')]))
        .feature(3, builder.featureString('host'))
        .feature(5, builder.featureString('6.12.1'))
        .feature(9, builder.featureString('GenuineIntel,6,85,4'))
        .feature(11, commandLine.toBytes())
        .feature(12, eventDescription)
        .feature(15, new Uint8Array(0))
        .feature(200, new Uint8Array(8))
        .file(),
    );
    const summary = await inspectPerfData(path);
    expect(summary.problems).toEqual([]);
    expect(summary.machine).toMatchObject({ hostname: 'host', cpuId: 'GenuineIntel,6,85,4' });
    expect(summary.perfVersion).toBe('6.12.1');
    expect(summary.commandLine).toEqual(['perf', 'record']);
    expect(summary.eventNames).toEqual(['br_inst_retired.near_taken:u']);
    const hex = Buffer.from(id).toString('hex');
    expect(summary.buildIds).toEqual([
      [hex.slice(0, 32), '[kernel.kallsyms]'],
      [hex, '/bin/app'],
    ]);
    expect(summary.images[0]).toEqual({ path: '/bin/app', buildId: hex, samples: 2n });
  });
});

describe('of a damaged file, the reader', () => {
  it('keeps the records before a cut', async () => {
    const whole = recording().file();
    const summary = await inspectPerfData(temporary.write('cut.data', whole.subarray(0, whole.length - 20)));
    expect(summary).toMatchObject({ samples: 2n, complete: false });
    expect(summary.autofdo.usable).toBe(true);
  });

  it('reads all records if perf was killed', async () => {
    const summary = await inspectPerfData(temporary.write('killed.data', recording().file({ dataSize: 0 })));
    expect(summary).toMatchObject({ samples: 3n, complete: false });
  });

  it('takes no text of perf after the records of a pipe for damage', async () => {
    const words = Buffer.from('[ perf record: Woken up 1 times to write data ]\n');
    const bytes = Buffer.concat([recording().pipe(), words]);
    expect(await inspectPerfData(temporary.write('words.data', bytes))).toMatchObject({
      samples: 3n,
      complete: true,
    });
  });

  it('reports damaged facts as a problem, but not as an early end', async () => {
    const builder = recording().feature(11, new PerfDataBuilder().bytes().u32(7).toBytes());
    const summary = await inspectPerfData(temporary.write('facts.data', builder.file()));
    expect(summary).toMatchObject({
      samples: 3n,
      complete: true,
      problems: ['its feature section 11 is cut or damaged'],
    });
  });

  it('also reports damage of facts that are not shown', async () => {
    const whole = recording().feature(200, new Uint8Array(64)).file();
    const summary = await inspectPerfData(temporary.write('unknown-fact.data', whole.subarray(0, -1)));
    expect(summary).toMatchObject({
      samples: 3n,
      complete: false,
      problems: [
        expect.stringMatching(/^cut off at offset 0x\w+: the feature sections after the records are missing/),
        'its feature section 200 is cut or damaged',
      ],
    });
  });

  it('stops at a record with an impossible size', async () => {
    const builder = recording().record(68, 0, new Uint8Array(8), 0).sample({ branches: BRANCHES });
    const summary = await inspectPerfData(temporary.write('zero.data', builder.file()));
    expect(summary).toMatchObject({ samples: 3n, complete: false });
    expect(summary.problems.join()).toContain('impossible size 0');
  });

  it("counts a sample whose branch stack passes the record's end, and goes on", async () => {
    const builder = recording();
    const tooMany = builder
      .bytes()
      .u64(0)
      .u64(0)
      .u64(1)
      .u64(2n ** 61n)
      .toBytes();
    const summary = await inspectPerfData(
      temporary.write('short.data', builder.record(9, 2, tooMany).sample({ branches: BRANCHES }).file()),
    );
    expect(summary).toMatchObject({
      samples: 5n,
      branchSamples: 3n,
      unreadable: { tooShort: 1n, unknownEvent: 0n },
    });
  });

  it.each([
    ['an empty file', new Uint8Array(0), /only 0 bytes/],
    [
      'an ELF file',
      Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01'), Buffer.alloc(64)]),
      /it is an ELF file/,
    ],
    ['text', Buffer.from('hello, this is no recording\n'), /starts with 68 65 6c 6c/],
    ['a lone header', recording().file().subarray(0, 50), /header is cut after 50 bytes/],
  ])('refuses %s', async (name, bytes, message) => {
    const path = temporary.write(name, bytes);
    await expect(inspectPerfData(path)).rejects.toMatchObject({ code: 'INPUT_INVALID', path, message });
  });

  it('says when a file is missing', async () => {
    const path = join(temporary.path, 'missing');
    await expect(inspectPerfData(path)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE', path });
  });
});

it('shows times beyond 2^53 exactly', async () => {
  const builder = new PerfDataBuilder().event(BRANCH_EVENT);
  for (const time of [1_764_108_558_123_456_789n, 1_764_108_558_123_456_791n, 1_764_108_558_123_456_790n]) {
    builder.sample({ time, branches: BRANCHES });
  }
  const { timeSpan } = await inspectPerfData(temporary.write('times.data', builder.file()));
  expect(timeSpan).toEqual({ first: '1764108558.123456789', last: '1764108558.123456791' });
});

describe('the reader of containers', () => {
  it('reads a directory of perf record --threads', async () => {
    const folder = join(temporary.path, 'threads');
    mkdirSync(folder);
    const builder = recording();
    temporary.write('threads/data', builder.file());
    temporary.write('threads/data.0', new PerfDataBuilder().sample({ branches: BRANCHES }).data());
    temporary.write('threads/data.1', new PerfDataBuilder().sample({ branches: BRANCHES }).data());
    const summary = await inspectPerfData(folder);
    expect(summary).toMatchObject({ directory: true, samples: 5n, branchEntries: 10n, complete: true });
  });

  it.skipIf(process.platform === 'win32')('says which files of a directory are missing', async () => {
    const folder = join(temporary.path, 'gap');
    mkdirSync(join(folder, 'data.7'), { recursive: true });
    await promisify(execFile)('mkfifo', [join(folder, 'data.8')]);
    await expect(inspectPerfData(folder)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: /it holds no file `data`/,
    });
    temporary.write('gap/data', recording().file());
    temporary.write('gap/data.0', new PerfDataBuilder().sample({ branches: BRANCHES }).data());
    temporary.write('gap/data.2', new PerfDataBuilder().sample({ branches: BRANCHES }).data());
    expect(await inspectPerfData(folder)).toMatchObject({
      samples: 5n,
      complete: false,
      problems: ["the directory's file data.1 is missing"],
    });
  });

  it.skipIf(process.platform === 'win32')('reads a FIFO, of a file and of a pipe stream', async () => {
    const fifo = join(temporary.path, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    for (const container of ['file', 'pipe'] as const) {
      const source = temporary.write(`through-fifo-${container}`, recording()[container]());
      const writer = promisify(execFile)('sh', ['-c', `cat '${source}' > '${fifo}'`]);
      expect(await inspectPerfData(fifo)).toMatchObject({ samples: 3n, branchEntries: 4n, complete: true });
      await writer;
    }
  });

  it('finds records wherever the blocks of a large file end', async () => {
    const builder = recording();
    const many = Array.from({ length: 40 }, () => BRANCHES[0] as BranchEntry);
    const count = 2000;
    for (let index = 0; index < count; index++) builder.sample({ branches: many.slice(index % 40) });
    const summary = await inspectPerfData(temporary.write('large.data', builder.file()));
    expect(summary.complete).toBe(true);
    expect(summary.samples).toBe(BigInt(count + 3));
    const entries = Array.from({ length: count }, (_, index) => 40 - (index % 40)).reduce(
      (sum, n) => sum + n,
      4,
    );
    expect(summary.branchEntries).toBe(BigInt(entries));
  });
});

describe('the reader of several events', () => {
  const ids = SAMPLE_TYPE.identifier;
  const plain = { ...BRANCH_EVENT, sampleType: ids | SAMPLE_TYPE.ip, branchSampleType: 0n, config: 1n };
  const branchy = { ...BRANCH_EVENT, sampleType: ids | SAMPLE_TYPE.ip | SAMPLE_TYPE.branchStack };

  it('finds the event by its id, and skips ids that are in no table', async () => {
    const builder = new PerfDataBuilder().event(plain, [7n]).event(branchy, [8n, 9n]);
    const sample = (id: bigint) => builder.bytes().u64(id).u64(0x1000).u64(1).u64(5).u64(6).u64(0).toBytes();
    builder.record(9, 2, builder.bytes().u64(7).u64(0x1000).toBytes());
    builder.record(9, 2, sample(9n)).record(9, 2, sample(8n)).record(9, 2, sample(77n));
    const summary = await inspectPerfData(temporary.write('events.data', builder.file()));
    expect(summary.events.map(({ name, samples, branchEntries }) => [name, samples, branchEntries])).toEqual([
      ['instructions', 1n, 0n],
      ['cycles', 2n, 2n],
    ]);
    expect(summary.unreadable.unknownEvent).toBe(1n);
  });
});

describe('the verdict for AutoFDO', () => {
  it.each([
    [
      'no branch stacks',
      new PerfDataBuilder().event({ sampleType: SAMPLE_TYPE.ip }).record(9, 2, new Uint8Array(8)),
      /it has no branch stacks: .* inferred from the sampled addresses/,
    ],
    [
      'stacks that the CPU did not fill',
      new PerfDataBuilder().event(BRANCH_EVENT).sample({ branches: [] }),
      /the CPU delivered none .* inferred from the sampled addresses/,
    ],
  ])('allows to use the addresses of a recording with %s', async (name, builder, reason) => {
    const { autofdo } = await inspectPerfData(temporary.write(name, builder.file()));
    expect(autofdo.usable).toBe(true);
    expect(autofdo.reasons.join()).toMatch(reason);
    expect(autofdo.advice).toMatch(/for exact counts, record with: perf record .* -b /);
  });

  it.each<[string, PerfDataBuilder, RegExp]>([
    ['no samples', new PerfDataBuilder().event(BRANCH_EVENT).mmap(1, 0n, 1n, '/bin/app'), /no samples/],
    [
      'call stacks',
      new PerfDataBuilder()
        .event({ ...BRANCH_EVENT, branchSampleType: 1n << 11n })
        .sample({ branches: BRANCHES }),
      /call stacks/,
    ],
    ...[1n << 4n, 1n << 5n, 1n << 6n, 1n << 10n, 1n << 12n, 1n << 13n, (1n << 4n) | (1n << 5n)].map(
      (branchSampleType): [string, PerfDataBuilder, RegExp] => [
        `some kinds of branches, ${branchSampleType}`,
        new PerfDataBuilder().event({ ...BRANCH_EVENT, branchSampleType }).sample({ branches: BRANCHES }),
        /only some kinds of branches/,
      ],
    ),
  ])('is negative for a recording with %s', async (name, builder, reason) => {
    const { autofdo } = await inspectPerfData(temporary.write(name, builder.file()));
    expect(autofdo.usable).toBe(false);
    expect(autofdo.reasons.join()).toMatch(reason);
    expect(autofdo.advice).toBeTruthy();
  });
});

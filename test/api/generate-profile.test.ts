import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type GenerateOptions,
  generateProfile,
  type Phase,
  type Progress,
  parseProfile,
} from '../../src/index.js';
import { longestBlock } from '../support/event-loop.js';
import { fixture } from '../support/fixtures.js';
import { writeLargeRecording } from '../support/large-recording.js';
import { BRANCH_EVENT, PerfDataBuilder, SAMPLE_TYPE } from '../support/perf-data-builder.js';
import { temporaryFolder } from '../support/temporary.js';

const calc = fixture('calc-x86_64');
const temporary = temporaryFolder();
const at = (name: string) => join(temporary.path, name);
const job: GenerateOptions = { binary: calc.binary, perfData: calc.perfData };

describe('generateProfile', () => {
  it('returns the bytes when no output is named', async () => {
    const result = await generateProfile(job);
    expect(result.output).toBeUndefined();
    expect(result.bytes).toBeInstanceOf(Uint8Array);
    expect(result.size).toBe(result.bytes?.length);
    expect(parseProfile(result.bytes ?? new Uint8Array()).format).toBe('extbinary');
  });

  it('writes the same bytes to an output', async () => {
    const output = at('written.afdo');
    const [file, memory] = await Promise.all([generateProfile({ ...job, output }), generateProfile(job)]);
    expect(file.bytes).toBeUndefined();
    expect(file.output).toBe(output);
    expect(readFileSync(output).equals(memory.bytes ?? Buffer.alloc(0))).toBe(true);
    expect(file.size).toBe(memory.size);
  });

  it.each(['text', 'binary', 'extbinary'] as const)('encodes as %s, the same functions', async (format) => {
    const [{ bytes }, { bytes: text }] = await Promise.all([
      generateProfile({ ...job, format }),
      generateProfile({ ...job, format: 'text' }),
    ]);
    const profile = parseProfile(bytes ?? new Uint8Array());
    expect(profile.format).toBe(format);
    const names = ({ functions }: typeof profile) => functions.map(({ name, total }) => `${name}:${total}`);
    expect(names(profile)).toEqual(names(parseProfile(text ?? new Uint8Array())));
  });

  it('warns where the encoding cannot say that discriminators are flow-sensitive', async () => {
    const codes = async (change: Partial<GenerateOptions>) => {
      const { diagnostics } = await generateProfile({ ...job, ...change });
      return diagnostics.filter(({ severity }) => severity === 'warning').map(({ code }) => code);
    };
    for (const format of ['text', 'binary'] as const) {
      expect(await codes({ format })).toContain('flow-sensitive-mark-lost');
      expect(await codes({ format, compat: 'llvm-profgen' })).not.toContain('flow-sensitive-mark-lost');
      const { binary, perfData } = fixture('calc-dwarf4');
      expect(await codes({ format, binary, perfData })).not.toContain('flow-sensitive-mark-lost');
    }
    expect(await codes({})).not.toContain('flow-sensitive-mark-lost');
  });

  it('accounts for every branch entry', async () => {
    const { statistics, timings } = await generateProfile(job);
    const sum = Object.values(statistics.ledger).reduce((total, entries) => total + entries, 0);
    expect(sum).toBe(statistics.branchEntries);
    expect(statistics.branchEntries).toBeGreaterThan(statistics.branchSamples);
    expect(statistics.ledger.used).toBeGreaterThan(0);
    expect(statistics.functions).toBeGreaterThan(0);
    expect(timings.map(({ phase }) => phase)).toContain('decode');
    for (const { milliseconds } of timings) expect(milliseconds).toBeGreaterThanOrEqual(0);
  });

  it('does not depend on the number of threads', async () => {
    const profiles = await Promise.all([1, 2, 5].map((jobs) => generateProfile({ ...job, jobs })));
    for (const { bytes } of profiles)
      expect(Buffer.compare(bytes ?? Buffer.alloc(0), profiles[0]?.bytes ?? Buffer.alloc(0))).toBe(0);
  });

  it('runs many jobs at once', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, () => generateProfile(job)));
    expect(new Set(results.map(({ size }) => size)).size).toBe(1);
  });
});

describe('failures', () => {
  const stackless = new PerfDataBuilder()
    .event({ sampleType: SAMPLE_TYPE.ip })
    .record(9, 2, new Uint8Array(8));
  const elsewhere = new PerfDataBuilder()
    .event(BRANCH_EVENT)
    .mmap(1, 0x400000n, 0x1000n, '/usr/bin/other')
    .sample({ branches: [{ from: 0x400100n, to: 0x400200n }] });

  it.each<[string, () => Partial<GenerateOptions>]>([
    ['BINARY_UNREADABLE', () => ({ binary: at('missing') })],
    ['BINARY_INVALID', () => ({ binary: temporary.write('text', 'no ELF file') })],
    ['INPUT_UNREADABLE', () => ({ perfData: at('missing') })],
    ['INPUT_INVALID', () => ({ perfData: temporary.write('text.data', 'no recording at all') })],
    ['NO_BRANCH_STACKS', () => ({ perfData: temporary.write('stackless.data', stackless.file()) })],
    ['NO_MAPPING', () => ({ perfData: temporary.write('elsewhere.data', elsewhere.file()) })],
    ['OUTPUT_UNWRITABLE', () => ({ output: at('no/such/folder/out.afdo') })],
    ['INVALID_OPTIONS', () => ({ maxLoss: 1000 })],
  ])('%s', async (code, wrong) => {
    const output = at(`failed-${code}.afdo`);
    await expect(generateProfile({ ...job, output, ...wrong() })).rejects.toMatchObject({
      name: 'AutofdoError',
      code,
      message: expect.stringMatching(/\w/),
    });
    expect(existsSync(output)).toBe(false);
  });

  it('leave the old output as it was, and nothing beside it', async () => {
    const folder = at('old');
    mkdirSync(folder);
    const output = join(folder, 'kept.afdo');
    writeFileSync(output, 'the profile of yesterday');
    const perfData = temporary.write('elsewhere-again.data', elsewhere.file());
    await expect(generateProfile({ ...job, perfData, output })).rejects.toThrow();
    expect(readFileSync(output, 'utf8')).toBe('the profile of yesterday');
    expect(readdirSync(folder)).toEqual(['kept.afdo']);
  });

  it('say when the output is a folder', async () => {
    const output = at('a-folder');
    mkdirSync(output);
    await expect(generateProfile({ ...job, output })).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    expect(readdirSync(output)).toEqual([]);
  });
});

describe('a job that takes its time', () => {
  const recording = at('large.data');
  const long: GenerateOptions = { ...job, perfData: Array<string>(8).fill(recording) };
  beforeAll(() => writeLargeRecording(calc, recording, 64 << 20));

  /** Shared machines hiccup: what is asked for must be seen in one of a few attempts. */
  async function bestOf(attempts: number, attempt: () => Promise<number>, enough: number): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    for (let left = attempts; left > 0 && best > enough; left--) best = Math.min(best, await attempt());
    return best;
  }

  it('reports its progress', async () => {
    const reports: Progress[] = [];
    const { statistics } = await generateProfile({
      ...long,
      onProgress: (progress) => reports.push(progress),
    });
    const order: Phase[] = ['open', 'scan', 'decode', 'symbolize', 'attribute', 'write'];
    const phases = reports.map(({ phase }) => order.indexOf(phase));
    expect(phases).toEqual([...phases].sort((a, b) => a - b));
    expect(reports.some(({ phase }) => phase === 'decode')).toBe(true);
    for (const { done, total } of reports) if (total > 0) expect(done).toBeLessThanOrEqual(total);
    expect(statistics.inputBytes).toBeGreaterThan(64e6);
  });

  it('ends within 50 ms of an abort, with its reason, and leaves no file', async () => {
    const folder = at('aborted');
    mkdirSync(folder);
    const attempt = async () => {
      const abort = new AbortController();
      let aborted = 0;
      const done = generateProfile({ ...long, output: join(folder, 'out.afdo'), signal: abort.signal });
      setTimeout(() => {
        aborted = performance.now();
        abort.abort('enough of this');
      }, 30);
      await expect(done).rejects.toBe('enough of this');
      return performance.now() - aborted;
    };
    expect(await bestOf(5, attempt, 50)).toBeLessThan(50);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not begin when it is aborted already', async () => {
    const signal = AbortSignal.abort();
    await expect(generateProfile({ ...long, signal })).rejects.toBe(signal.reason);
  });

  it('ends with what onProgress throws', async () => {
    const failure = new Error('from the callback');
    const onProgress = () => {
      throw failure;
    };
    await expect(generateProfile({ ...long, onProgress })).rejects.toBe(failure);
  });

  it('keeps the event loop free', async () => {
    const attempt = () => longestBlock(() => generateProfile({ ...long, onProgress: () => {} }));
    expect(await bestOf(5, attempt, 20)).toBeLessThan(20);
  });

  it('is undisturbed by others that are aborted', async () => {
    const abort = new AbortController();
    const others = Array.from({ length: 4 }, () => generateProfile({ ...long, signal: abort.signal }));
    const kept = generateProfile(job);
    setTimeout(() => abort.abort(), 20);
    const settled = await Promise.allSettled(others);
    expect(settled.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect((await kept).size).toBeGreaterThan(0);
  });
});

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type GenerateOptions,
  generateProfile,
  type Phase,
  type Progress,
  parseProfile,
} from '../../src/index.js';
import { fixture } from '../support/fixtures.js';
import { writeLargeRecording } from '../support/large-recording.js';
import { BRANCH_EVENT, PerfDataBuilder, SAMPLE_TYPE } from '../support/perf-data-builder.js';
import { temporaryFolder } from '../support/temporary.js';

const calc = fixture('calc-x86_64');
const temporary = temporaryFolder();
const at = (name: string) => join(temporary.path, name);
const job: GenerateOptions = { binary: calc.binary, perfData: calc.perfData };

describe('generateProfile', () => {
  it('returns the bytes if no output is named', async () => {
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

  it('warns if the encoding cannot mark flow-sensitive discriminators', async () => {
    const codes = async (change: Partial<GenerateOptions>) => {
      const { diagnostics } = await generateProfile({ ...job, ...change });
      return diagnostics.filter(({ severity }) => severity === 'warning').map(({ code }) => code);
    };
    for (const format of ['text', 'binary'] as const) {
      expect(await codes({ format })).toContain('flow-sensitive-mark-lost');
      expect(await codes({ format, compat: 'llvm-profgen' })).not.toContain('flow-sensitive-mark-lost');
      const { binary, perfData } = fixture('calc-gcc');
      expect(await codes({ format, binary, perfData })).not.toContain('flow-sensitive-mark-lost');
    }
    expect(await codes({})).not.toContain('flow-sensitive-mark-lost');
  });

  it('accounts for every branch entry', async () => {
    const { statistics, timings } = await generateProfile(job);
    const sum = Object.values(statistics.ledger).reduce((total, entries) => total + entries, 0n);
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

describe('a failure', () => {
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
  ])('has the code %s', async (code, wrong) => {
    const output = at(`failed-${code}.afdo`);
    await expect(generateProfile({ ...job, output, ...wrong() })).rejects.toMatchObject({
      name: 'AutofdoError',
      code,
      message: expect.stringMatching(/\w/),
    });
    expect(existsSync(output)).toBe(false);
  });

  it('leaves the old output unchanged, and no new file beside it', async () => {
    const folder = at('old');
    mkdirSync(folder);
    const output = join(folder, 'kept.afdo');
    writeFileSync(output, 'the profile of yesterday');
    const perfData = temporary.write('elsewhere-again.data', elsewhere.file());
    await expect(generateProfile({ ...job, perfData, output })).rejects.toThrow();
    expect(readFileSync(output, 'utf8')).toBe('the profile of yesterday');
    expect(readdirSync(folder)).toEqual(['kept.afdo']);
  });

  it('says that the output is a folder', async () => {
    const output = at('a-folder');
    mkdirSync(output);
    await expect(generateProfile({ ...job, output })).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    expect(readdirSync(output)).toEqual([]);
  });
});

describe('a long job', () => {
  const recording = at('large.data');
  const long: GenerateOptions = { ...job, perfData: Array<string>(8).fill(recording) };
  beforeAll(() => writeLargeRecording(calc, recording, 64 << 20));

  it('reports its progress', async () => {
    const reports: Progress[] = [];
    const { statistics } = await generateProfile({
      ...long,
      onProgress: (progress) => reports.push(progress),
    });
    // Each phase is reported, in order, and each report of a phase comes after those of the phases before it.
    const phases = reports.map(({ phase }) => phase);
    const order: Phase[] = ['open', 'scan', 'decode', 'symbolize', 'attribute', 'write'];
    expect(phases.filter((phase, index) => phase !== phases[index - 1])).toEqual(order);
    const decoding = reports.filter(({ phase }) => phase === 'decode');
    const size = 8 * statSync(recording).size;
    for (const [index, { done, total, file, files }] of decoding.entries()) {
      expect({ total, files }).toEqual({ total: size, files: 8 });
      expect(file).toBe(Math.min(8, Math.floor((done - 1) / (size / 8)) + 1));
      expect(done).toBeLessThanOrEqual(total);
      expect(file).toBeGreaterThanOrEqual(decoding[index - 1]?.file ?? 1);
    }
    expect(new Set(decoding.map(({ file }) => file)).size).toBeGreaterThan(1);
    expect(statistics.inputBytes).toBeGreaterThan(64e6);
  });

  it('ends with the reason of an abort long before its normal end, and leaves no file', async () => {
    const folder = at('aborted');
    mkdirSync(folder);
    const abort = new AbortController();
    const reports: Progress[] = [];
    const onProgress = (progress: Progress) => {
      reports.push(progress);
      if (progress.phase === 'decode') abort.abort('enough of this');
    };
    const job = generateProfile({
      ...long,
      output: join(folder, 'out.afdo'),
      signal: abort.signal,
      onProgress,
    });
    await expect(job).rejects.toBe('enough of this');
    expect(reports.at(-1)?.phase).toBe('decode');
    expect(reports.at(-1)?.file).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not begin if it is already aborted', async () => {
    const signal = AbortSignal.abort();
    await expect(generateProfile({ ...long, signal })).rejects.toBe(signal.reason);
  });

  it('ends with the exception that onProgress throws', async () => {
    const failure = new Error('from the callback');
    const onProgress = () => {
      throw failure;
    };
    await expect(generateProfile({ ...long, onProgress })).rejects.toBe(failure);
  });

  it('names a recording that is given twice', async () => {
    const { diagnostics } = await generateProfile({ ...job, perfData: [calc.perfData, calc.perfData] });
    expect(diagnostics).toContainEqual({
      code: 'input-repeated',
      severity: 'warning',
      message: `${calc.perfData} was named 2 times, so its content counts 2 times; name it once`,
    });
    const asBefore = await generateProfile({
      ...job,
      perfData: [calc.perfData, calc.perfData],
      compat: 'llvm-profgen',
    });
    expect(asBefore.diagnostics.map(({ code }) => code)).not.toContain('input-repeated');
  });

  it('is not disturbed by other jobs that are aborted', async () => {
    const abort = new AbortController();
    const others = Array.from({ length: 4 }, () => generateProfile({ ...long, signal: abort.signal }));
    const kept = generateProfile(job);
    setTimeout(() => abort.abort(), 20);
    const settled = await Promise.allSettled(others);
    expect(settled.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect((await kept).size).toBeGreaterThan(0);
  });
});

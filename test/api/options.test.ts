import { describe, expect, it } from 'vitest';
import {
  compareProfiles,
  convertProfile,
  describeProfile,
  diagnoseBinary,
  generateProfile,
  mergeProfiles,
  readProfile,
} from '../../src/index.js';
import { type GenerateOptions, toBindingOptions } from '../../src/options/generate.js';

const REQUIRED = { binary: 'app', perfData: 'perf.data' };

describe('the options', () => {
  it("become the addon's options, without the absent ones", () => {
    expect(toBindingOptions(REQUIRED)).toStrictEqual({
      binaries: ['app'],
      perfData: ['perf.data'],
      select: {},
    });
    expect(
      toBindingOptions({
        ...REQUIRED,
        binary: ['app', 'libapp.so'],
        binaryDir: 'libs',
        perfData: ['a', 'b'],
        pid: 5,
        cpu: [0, 1],
        event: 'cycles',
        time: [1n, 2n],
        useMd5: true,
        profileSummaryColdCount: 3,
        output: undefined,
        signal: AbortSignal.abort(),
      }),
    ).toStrictEqual({
      binaries: ['app', 'libapp.so'],
      binaryDirs: ['libs'],
      perfData: ['a', 'b'],
      select: { pids: [5], cpus: [0, 1], events: ['cycles'], time: [1n, 2n] },
      useMd5: true,
      profileSummaryColdCount: 3n,
    });
  });

  it.each<[string, Partial<Record<keyof GenerateOptions, unknown>>]>([
    ['no binary was given', { binary: '' }],
    ['no binary was given', { binary: [] }],
    ['no binary was given', { binary: ['app', ''] }],
    ['no binary was given', { binary: undefined, binaryDir: [], allBinaries: false }],
    ['no input was given', { perfData: undefined }],
    ['more than one kind of input', { llvmSampleProfile: 'x' }],
    ["format is 'gcc'", { format: 'gcc' }],
    ["compat is 'perf'", { compat: 'perf' }],
    ['maxLoss is 101', { maxLoss: 101 }],
    ['maxLoss is NaN', { maxLoss: Number.NaN }],
    ['jobs is -1', { jobs: -1 }],
    ["useMd5 is 'yes'", { useMd5: 'yes' }],
    ['binary is 5', { binary: 5 }],
    ['signal is an object', { signal: {} }],
    ['onProgress is true', { onProgress: true }],
    ['jobs is 1.5', { jobs: 1.5 }],
    ['pid is 4294967296', { pid: [1, 2 ** 32] }],
    ['cpu is -1', { cpu: -1 }],
    ['profileDensityCutoffHot is 1000001', { profileDensityCutoffHot: 1_000_001 }],
    ['profileSummaryColdCount is -1', { profileSummaryColdCount: -1n }],
    ['time ends before it starts', { time: [2n, 1n] }],
    ["toStdout is 'yes'", { toStdout: 'yes' }],
  ])('%s', async (message, wrong) => {
    const options = { ...REQUIRED, ...wrong } as GenerateOptions;
    await expect(generateProfile(options)).rejects.toMatchObject({
      name: 'AutofdoError',
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(message),
      hint: expect.any(String),
    });
  });
});

it('options without a flag are checked, too', async () => {
  const wrong: [Promise<unknown>, string][] = [
    [mergeProfiles({ inputs: ['a'], lists: [5] } as never), 'lists is an object'],
    [convertProfile({ input: 5 } as never), 'input is 5'],
    [describeProfile({ path: 'a', topHot: -1 }), 'topHot is -1'],
    [compareProfiles({ base: {}, test: 'b' } as never), 'base is an object'],
    [diagnoseBinary({ binary: ['a'] } as never), 'binary is an object'],
  ];
  for (const [job, message] of wrong) {
    await expect(job).rejects.toMatchObject({ code: 'INVALID_OPTIONS', message });
  }
});

describe('for an option with an unknown name, the error', () => {
  const calls: [string, (options: object) => Promise<unknown>, string, string][] = [
    ['generateProfile', (o) => generateProfile({ ...REQUIRED, ...o }), 'perfdata', 'perfData'],
    ['generateProfile', (o) => generateProfile({ ...REQUIRED, ...o }), 'max-loss', 'maxLoss'],
    ['mergeProfiles', (o) => mergeProfiles({ inputs: ['a'], ...o }), 'keepgoing', 'keepGoing'],
    ['mergeProfiles', (o) => mergeProfiles({ inputs: [{ path: 'a', ...o }] }), 'wieght', 'weight'],
    ['convertProfile', (o) => convertProfile({ input: 'a', ...o }), 'fromat', 'format'],
    ['describeProfile', (o) => describeProfile({ path: 'a', ...o }), 'hotfunctions', 'hotFunctions'],
    ['compareProfiles', (o) => compareProfiles({ base: 'a', test: 'b', ...o }), 'valueCutof', 'valueCutoff'],
    ['diagnoseBinary', (o) => diagnoseBinary({ binary: 'a', ...o }), 'debugbinary', 'debugBinary'],
    ['readProfile', (o) => readProfile('a', o), 'singal', 'signal'],
  ];

  it.each(calls)('of %s names the nearest option', async (_, call, given, meant) => {
    await expect(call({ [given]: undefined })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: `unknown option '${given}'`,
      hint: `Did you mean '${meant}'?`,
    });
  });

  it('lists all options if no name is near', async () => {
    await expect(describeProfile({ path: 'a', frobnicate: 1 } as never)).rejects.toMatchObject({
      hint: 'Known options are path, top, sections, detailedSummary, topHot, hotFunctions, signal.',
    });
  });
});

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { convertProfile, type MergeOptions, mergeProfiles, parseProfile } from '../../src/index.js';
import { allFixtures, fixture, fixturePath } from '../support/fixtures.js';
import { hasLlvmProfdata, llvmMerge } from '../support/llvm-profdata.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixturePath(fixture('calc-x86_64'), 'expected.afdo');
const gcc = fixturePath(fixture('calc-gcc'), 'expected.afdo');

async function merged(options: MergeOptions): Promise<Buffer> {
  const { bytes } = await mergeProfiles(options);
  return Buffer.from(bytes ?? []);
}

describe.skipIf(!hasLlvmProfdata)('a merge says the same as llvm-profdata-22', () => {
  describe.each(allFixtures())('of the profiles of $name', (one) => {
    const text = fixturePath(one, 'expected.prof');
    const at = (name: string) => join(temporary.path, `${one.name}.${name}`);
    const forms = ['extbinary', 'compressed', 'md5', 'binary'].filter(
      (form) => form !== 'binary' || one.name !== 'calc-probe', // The raw binary form has no place for checksums.
    );

    beforeAll(async () => {
      const encode = (name: string, options: object) =>
        convertProfile({ input: text, output: at(name), ...options });
      for (const form of forms) {
        if (form === 'binary') await encode(form, { format: 'binary' });
        else await encode(form, { useMd5: form === 'md5', compressAllSections: form === 'compressed' });
      }
    });

    it.each(forms)('%s', async (form) => {
      const expected = llvmMerge(temporary.path, '--text', at(form)).toString();
      expect((await merged({ inputs: [at(form)], format: 'text' })).toString()).toBe(expected);
    });

    it('all forms and the text together, weighted', async () => {
      const inputs = [text, ...forms.map(at)];
      const weighted = inputs.map((path, index) => ({ path, weight: index + 1 }));
      const flags = weighted.map(({ path, weight }) => `--weighted-input=${weight},${path}`);
      const expected = llvmMerge(temporary.path, '--text', ...flags).toString();
      expect((await merged({ inputs: weighted, format: 'text' })).toString()).toBe(expected);
    });
  });

  it('of all fixtures without probes, in each encoding', async () => {
    const inputs = allFixtures()
      .filter(({ name }) => name !== 'calc-probe')
      .map((one) => fixturePath(one, 'expected.afdo'));
    for (const format of ['text', 'binary', 'extbinary'] as const) {
      const expected = llvmMerge(temporary.path, `--${format}`, ...inputs);
      expect((await merged({ inputs, format })).equals(expected), format).toBe(true);
    }
  });

  const list = temporary.write('symbols', 'main\nnever_called\n');
  it.each<[string, Partial<MergeOptions>, string[]]>([
    ['MD5 names', { useMd5: true }, ['--use-md5']],
    ['a symbol list', { profSymList: list }, [`--prof-sym-list=${list}`]],
    ['a partial profile', { genPartialProfile: true }, ['--gen-partial-profile']],
    ['functions by name', { function: '^(main|sort)' }, ['--function=^(main|sort)']],
    ['functions not by name', { noFunction: 'r' }, ['--no-function=r']],
    ['both', { function: 'r', noFunction: 'ex' }, ['--function=r', '--no-function=ex']],
    ['a size limit', { outputSizeLimit: 1500 }, ['--output-size-limit=1500']],
  ])('with %s, byte for byte', async (_, options, flags) => {
    const expected = llvmMerge(temporary.path, '--extbinary', ...flags, calc, gcc);
    expect((await merged({ inputs: [calc, gcc], ...options })).equals(expected)).toBe(true);
  });
});

describe('a merge', () => {
  it('adds up counts', async () => {
    const [one, two] = [
      temporary.write('1.prof', 'f:3:1\n 1: 3 g:2\n'),
      temporary.write('2.prof', 'f:4:0\n 1: 4 h:1\n'),
    ];
    const result = await mergeProfiles({ inputs: [one, { path: two, weight: 10n }], format: 'text' });
    expect(Buffer.from(result.bytes ?? []).toString()).toBe('f:43:1\n 1: 43 h:10 g:2\n');
    expect(result).toMatchObject({ inputs: 2, skipped: [], functions: 1, totalCount: 43n, maxCount: 43n });
    expect(result.diagnostics).toEqual([]);
  });

  it('drops cold functions', async () => {
    const input = temporary.write(
      'cold.prof',
      'hot:1000000:1\n 1: 1000000\nwarm:9:1\n 1: 9\ncold:1:1\n 1: 1\n',
    );
    const names = async (options: Partial<MergeOptions>) =>
      parseProfile(await merged({ inputs: [input], trimCold: true, ...options })).functions.map(
        ({ name }) => name,
      );
    expect(await names({ profileSummaryColdCount: 2 })).toEqual(['hot', 'warm']);
    expect(await names({ profileSummaryCutoffCold: 900_000 })).toEqual(['hot']);
  });

  it('replaces the output only if the whole job succeeds', async () => {
    const output = temporary.write('kept.afdo', 'before');
    await expect(mergeProfiles({ inputs: [calc, fixture('calc-gcc').binary], output })).rejects.toMatchObject(
      {
        code: 'INPUT_INVALID',
      },
    );
    expect(readFileSync(output, 'utf8')).toBe('before');
    const { bytes } = await mergeProfiles({ inputs: [calc], output });
    expect(bytes).toBeUndefined();
    expect(parseProfile(readFileSync(output)).functions.length).toBeGreaterThan(0);
  });

  it('names the damaged file and the place of the damage, and can leave the file out', async () => {
    const whole = readFileSync(calc);
    const cut = temporary.write('cut.afdo', whole.subarray(0, whole.length - 20));
    const foreign = fixture('calc-gcc').binary;
    const missing = join(temporary.path, 'missing.afdo');
    const inputs = [gcc, cut, foreign, missing];
    await expect(mergeProfiles({ inputs })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      path: cut,
      message: expect.stringMatching(/cut\.afdo: .*offset 0x[0-9a-f]+/),
      hint: expect.stringContaining('`keepGoing`'),
    });
    const result = await mergeProfiles({ inputs, keepGoing: true, format: 'text' });
    expect(result.inputs).toBe(1);
    expect(result.skipped).toEqual([
      { path: cut, message: expect.stringMatching(/offset 0x/) },
      { path: foreign, message: expect.stringContaining('an ELF file, not a sample profile') },
      { path: missing, message: expect.stringContaining('missing.afdo') },
    ]);
    expect(result.diagnostics.map(({ code }) => code)).toEqual(expect.arrayContaining(['input-skipped']));
    expect(result.bytes).toEqual((await mergeProfiles({ inputs: [gcc], format: 'text' })).bytes);
    await expect(mergeProfiles({ inputs: [foreign, missing], keepGoing: true })).rejects.toThrow(
      'none of the 2 profiles can be read',
    );
  });

  it('does not merge profiles with probes and profiles without probes', async () => {
    const inputs = [calc, fixturePath(fixture('calc-probe'), 'expected.afdo')];
    await expect(mergeProfiles({ inputs })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('warns of versions of a function that were left out', async () => {
    const version = (name: string, checksum: number) =>
      temporary.write(name, `f:3:1\n 1: 3\n !CFGChecksum: ${checksum}\n`);
    const { diagnostics } = await mergeProfiles({ inputs: [version('v1.prof', 1), version('v2.prof', 2)] });
    expect(diagnostics).toMatchObject([
      { code: 'checksum-mismatch', severity: 'warning', message: expect.stringMatching(/f in .*v2\.prof/) },
    ]);
  });

  it.each<[string, Partial<MergeOptions>]>([
    ['no input was given', { inputs: [] }],
    ['an input has no path', { inputs: [''] }],
    ['is 0', { inputs: [{ path: calc, weight: 0 }] }],
    ['weight is 1.5', { inputs: [{ path: calc, weight: 1.5 }] }],
    ["format is 'gcc'", { format: 'gcc' as 'text' }],
    ['outputSizeLimit is 0', { outputSizeLimit: 0 }],
    ['not a regular expression', { function: '(' }],
  ])('%s', async (message, wrong) => {
    await expect(mergeProfiles({ inputs: [calc], ...wrong })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(message),
    });
  });

  it('ends when it is aborted, and leaves no file', async () => {
    const output = join(temporary.path, 'aborted.afdo');
    const inputs = Array<string>(3000).fill(calc);
    const abort = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => abort.abort(reason);
    await expect(mergeProfiles({ inputs, output, signal: abort.signal, onProgress })).rejects.toBe(reason);
    expect(existsSync(output)).toBe(false);
  });

  it('does not depend on the number of threads', async () => {
    const files = Array.from({ length: 40 }, (_, index) => {
      const path = join(temporary.path, `thread-${index}.afdo`);
      writeFileSync(path, readFileSync(index % 2 ? calc : gcc));
      return { path, weight: index + 1 };
    });
    const [one, four] = await Promise.all([1, 4].map((jobs) => merged({ inputs: files, jobs })));
    expect(one?.equals(four ?? Buffer.of())).toBe(true);
  });
});

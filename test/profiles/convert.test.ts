import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ConvertOptions, convertProfile, mergeProfiles } from '../../src/index.js';
import { allFixtures, fixturePath } from '../support/fixtures.js';
import { hasLlvmProfdata, llvmProfdata } from '../support/llvm-profdata.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();

/** Converts a profile through a chain of encodings, each from the one before. Resolves to the last file. */
async function chain(input: string, ...steps: Omit<ConvertOptions, 'input'>[]): Promise<string> {
  let file = input;
  for (const [index, step] of steps.entries()) {
    const output = join(temporary.path, `step-${index}`);
    await convertProfile({ input: file, output, ...step });
    file = output;
  }
  return file;
}

describe.each(allFixtures())('the profile of $name', (one) => {
  const text = fixturePath(one, 'expected.prof');
  const probes = one.name === 'calc-probe';

  it('is the same after every lossless encoding', async () => {
    const forms: Omit<ConvertOptions, 'input'>[] = [{}, { compressAllSections: true }, { format: 'text' }];
    if (!probes) forms.splice(1, 0, { format: 'binary' });
    expect(readFileSync(await chain(text, ...forms), 'utf8')).toBe(readFileSync(text, 'utf8'));
  });

  it.skipIf(!hasLlvmProfdata)('keeps the marks of extbinary', async () => {
    const afdo = fixturePath(one, 'expected.afdo');
    const sections = (file: string) =>
      llvmProfdata('show', '--sample', '--show-sec-info-only', file).replace(
        /Offset: \d+, Size: \d+|Size: \d+/g,
        '',
      );
    expect(sections(await chain(afdo, {}))).toBe(sections(afdo));
  });

  it('has hashes for names with MD5', async () => {
    const [hashed, again] = await Promise.all([
      chain(text, { useMd5: true }),
      mergeProfiles({ inputs: [text], useMd5: true }),
    ]);
    expect(readFileSync(hashed).equals(again.bytes ?? Buffer.of())).toBe(true);
  });
});

describe('a conversion', () => {
  const codes = async (options: ConvertOptions) => {
    const { diagnostics } = await convertProfile(options);
    return diagnostics.map(({ code, severity }) => `${severity}: ${code}`);
  };
  const plain = temporary.write('plain.prof', 'main:3:1\n 1: 3\n');

  it('reports the loss of a symbol list, and of the mark of partial profiles', async () => {
    const output = join(temporary.path, 'partial.afdo');
    const profSymList = temporary.write('names', 'main\nother\n');
    await mergeProfiles({ inputs: [plain], output, profSymList, genPartialProfile: true });
    expect(await codes({ input: output, format: 'text' })).toEqual([
      'warning: symbol-list-lost',
      'warning: partial-mark-lost',
    ]);
    expect(await codes({ input: output })).toEqual([]);
    expect(await codes({ input: output, dropProfileSymbolList: true })).toEqual([]); // The loss was asked for.
  });

  it('reports the loss of names', async () => {
    const output = join(temporary.path, 'md5.afdo');
    expect(await codes({ input: plain, useMd5: true, output })).toEqual(['note: names-hashed']);
    expect(await codes({ input: output, format: 'text' })).toEqual(['warning: names-unknown']);
    expect(await codes({ input: output, useMd5: true })).toEqual([]);
  });

  it('reports flags without effect', async () => {
    expect(await codes({ input: plain, format: 'text', useMd5: true, compressAllSections: true })).toEqual([
      'warning: compression-ignored',
      'warning: md5-ignored',
    ]);
  });

  it('reports nothing for a plain profile', async () => {
    for (const format of ['text', 'binary', 'extbinary'] as const) {
      expect(await codes({ input: plain, format })).toEqual([]);
    }
  });

  it('refuses to write probes in the raw binary form, which cannot hold them', async () => {
    const probes = temporary.write('probes.prof', 'main:3:1\n 1: 3\n !CFGChecksum: 7\n');
    await expect(convertProfile({ input: probes, format: 'binary' })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });
});

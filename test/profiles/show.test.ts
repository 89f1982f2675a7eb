import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convertProfile, describeProfile, mergeProfiles, readProfile } from '../../src/index.js';
import {
  functionJsons,
  functionTexts,
  hottestFirst,
  llvmJsonTexts,
} from '../../src/report/function-samples.js';
import { allFixtures, fixture, fixturePath } from '../support/fixtures.js';
import { hasLlvmProfdata, llvmProfdata } from '../support/llvm-profdata.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const show = (...args: string[]) => llvmProfdata('show', '--sample', ...args);

describe.skipIf(!hasLlvmProfdata)('show prints the same as llvm-profdata-22', () => {
  describe.each(allFixtures())('of the profile of $name', (one) => {
    const path = fixturePath(one, 'expected.afdo');

    it('for all functions, as text and as JSON', async () => {
      for (const useMd5 of [false, true]) {
        const file = join(temporary.path, `${one.name}-${useMd5}.afdo`);
        await convertProfile({ input: path, output: file, useMd5 });
        const profile = await readProfile(file);
        expect([...functionTexts(profile, hottestFirst(profile))].join('')).toBe(show(file));
        expect([...llvmJsonTexts(profile, hottestFirst(profile))].join('')).toBe(
          show('--show-format=json', file),
        );
        // Hashes exceed the numbers that JavaScript's JSON parser keeps exactly; names are text.
        if (useMd5) continue;
        const json = `[${[...functionJsons(profile, hottestFirst(profile))].join()}]`;
        expect(JSON.parse(json)).toEqual(JSON.parse(show('--json', file)));
      }
    });

    it('for the hottest of the hot functions', async () => {
      const { text } = await describeProfile({ path, detailedSummary: true, hotFunctions: true, topHot: 2 });
      expect(show('--detailed-summary', '--hot-func-list', '--topn=2', path).endsWith(text)).toBe(true);
    });

    it('for the sections', async () => {
      const { text } = await describeProfile({ path, sections: true });
      expect(text).toBe(show('--show-sec-info-only', path));
    });

    it('for the summary and the hot functions', async () => {
      const { text } = await describeProfile({ path, detailedSummary: true, hotFunctions: true });
      const shown = show('--detailed-summary', '--hot-func-list', path);
      expect(shown.endsWith(`}\n${text}`) || shown.endsWith(`in this function\n${text}`)).toBe(true);
    });
  });
});

it.skipIf(!hasLlvmProfdata)(
  'code that is inlined a thousand deep is shown as fast as other code',
  async () => {
    const depth = 1023;
    const nested = Array.from({ length: depth }, (_, index) => `${' '.repeat(index + 1)}1: f${index}:9\n`);
    const path = temporary.write('deep.prof', `f:9:1\n${nested.join('')}${' '.repeat(depth + 1)}1: 9\n`);
    const profile = await readProfile(path);
    expect([...llvmJsonTexts(profile, profile.functions)].join('')).toBe(show('--show-format=json', path));
    expect([...functionTexts(profile, profile.functions)].join('')).toBe(show(path));
  },
  5000,
);

describe('a description', () => {
  const calc = fixturePath(fixture('calc-x86_64'), 'expected.afdo');

  it('agrees with the reader', async () => {
    for (const one of allFixtures()) {
      const path = fixturePath(one, 'expected.afdo');
      const [description, profile] = await Promise.all([describeProfile({ path }), readProfile(path)]);
      const { summary } = profile;
      expect(description).toMatchObject({
        format: 'extbinary',
        size: readFileSync(path).length,
        md5: false,
        flowSensitive: profile.flowSensitive,
        summary: {
          totalCount: summary?.totalCount,
          maxCount: summary?.maxCount,
          maxFunctionCount: summary?.maxFunctionCount,
          functions: profile.functions.length,
          entries: summary?.entries,
        },
      });
    }
  });

  it('lists the hottest functions first, as many as requested', async () => {
    const { functions, totalSamples } = await describeProfile({ path: calc, top: 3 });
    expect(functions).toHaveLength(3);
    const totals = functions.map(({ total }) => total);
    expect(totals).toEqual(totals.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0)));
    expect(totals[0]).toBeLessThanOrEqual(totalSamples);
  });

  it('has the marks of the file', async () => {
    const output = join(temporary.path, 'partial.afdo');
    const profSymList = temporary.write('names', 'main\nother\n');
    const options = { useMd5: true, compressAllSections: true, genPartialProfile: true, profSymList };
    await mergeProfiles({ inputs: [calc], output, ...options });
    const { partial, md5, symbols, sections } = await describeProfile({ path: output });
    expect({ partial, md5, symbols }).toEqual({ partial: true, md5: true, symbols: 2 });
    expect(sections.map(({ name }) => name)).toContain('NameTableSection');
    expect(sections.every(({ flags }) => flags.includes('compressed'))).toBe(true);
  });

  it('of a text has no sections, and a computed summary', async () => {
    const path = fixturePath(fixture('calc-x86_64'), 'expected.prof');
    const [text, extbinary] = await Promise.all([describeProfile({ path }), describeProfile({ path: calc })]);
    expect(text).toMatchObject({ format: 'text', sections: [], summary: extbinary.summary });
    expect(text.density).toBe(extbinary.density);
  });

  it('fails for a file that is not a profile', async () => {
    await expect(describeProfile({ path: fixture('calc-x86_64').perfData })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('a perf.data file, not a sample profile'),
      hint: expect.stringContaining('`generateProfile({ binary, perfData })`'),
    });
    await expect(describeProfile({ path: 'missing.afdo' })).rejects.toMatchObject({
      code: 'INPUT_UNREADABLE',
      path: 'missing.afdo',
    });
  });
});

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareProfiles, convertProfile } from '../../src/index.js';
import { changesText } from '../../src/report/comparison.js';
import { allFixtures, fixture, fixturePath } from '../support/fixtures.js';
import { hasLlvmProfdata, llvmProfdata } from '../support/llvm-profdata.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const profileOf = (name: string) => fixturePath(fixture(name), 'expected.afdo');
const others = allFixtures().filter(({ name }) => name !== 'calc-probe' && name !== 'calc-x86_64');

describe.skipIf(!hasLlvmProfdata)('the numbers are those of llvm-profdata-22', () => {
  const [base, probes] = ['calc-x86_64', 'calc-probe'].map(profileOf) as [string, string];

  it.each(others)('for $name', async (one) => {
    const test = fixturePath(one, 'expected.afdo');
    const { text } = await compareProfiles({ base, test, valueCutoff: 100, similarityCutoff: 900_000 });
    const flags = ['--value-cutoff=100', '--similarity-cutoff=900000'];
    const shown = llvmProfdata('overlap', '--sample', ...flags, base, test);
    // LLVM prints functions that only one profile has in the order of a hash table.
    expect(text.split('\n').sort()).toEqual(shown.split('\n').sort());
  });

  it('for a profile compared with itself, with and without probes', async () => {
    for (const path of [base, probes]) {
      const result = await compareProfiles({ base: path, test: path });
      expect(result.text).toBe(llvmProfdata('overlap', '--sample', path, path));
      expect(result).toMatchObject({ similarity: 1, gained: [], lost: [], changed: [], targetShifts: [] });
      expect(changesText(result)).toBe('');
    }
  });
});

describe('a comparison', () => {
  const base = temporary.write(
    'base.prof',
    'stays:100:1\n 1: 100\nmoves:60:1\n 1: 60 a:45 b:15\ngone:40:1\n 1: 40\ngone_cold:1:1\n 1: 1\n',
  );
  const test = temporary.write(
    'test.prof',
    'stays:100:1\n 1: 100\nmoves:60:1\n 1: 30 a:15 b:15\n 2: 30\nnew:40:1\n 1: 40\n',
  );

  it('names functions that appeared, vanished or changed, and calls with other targets', async () => {
    const result = await compareProfiles({ base, test });
    expect(result.gained.map(({ name }) => name)).toEqual(['new']);
    expect(result.lost.map(({ name }) => name)).toEqual(['gone', 'gone_cold']);
    expect(result.changed[0]).toMatchObject({ name: 'moves', baseSamples: 60n, testSamples: 60n });
    expect(result.targetShifts).toEqual([
      {
        place: 'moves:1',
        shift: 0.25,
        baseCalls: 60n,
        testCalls: 30n,
        targets: [
          { name: 'a', base: 0.75, test: 0.5 },
          { name: 'b', base: 0.25, test: 0.5 },
        ],
      },
    ]);
    expect(result.functions).toEqual({ common: 2, baseOnly: 2, testOnly: 1, overlap: 2 / 5 });
    const text = changesText(result);
    for (const part of ['new', 'gone', 'moves', '75.00% ->  50.00%  a']) expect(text).toContain(part);
  });

  it('has losses of functions that add up to the missing similarity', async () => {
    const { similarity, gained, lost, changed } = await compareProfiles({ base, test });
    const taken = [...gained, ...lost, ...changed].reduce(
      (sum, { lostSimilarity }) => sum + lostSimilarity,
      0,
    );
    expect(1 - taken).toBeCloseTo(similarity, 12);
  });

  it('lists as many functions as requested', async () => {
    expect((await compareProfiles({ base, test, top: 1 })).lost).toHaveLength(1);
    expect((await compareProfiles({ base, test, top: 0 })).lost).toEqual([]);
  });

  it('warns if one profile has no names', async () => {
    const hashed = join(temporary.path, 'md5.afdo');
    await convertProfile({ input: test, output: hashed, useMd5: true });
    const { diagnostics, similarity } = await compareProfiles({ base, test: hashed });
    expect(diagnostics).toMatchObject([{ code: 'names-differ', severity: 'warning' }]);
    expect(similarity).toBe(0);
  });

  it('fails for profiles without samples, and for other kinds of profiles', async () => {
    const empty = temporary.write('empty.prof', 'main:0:0\n');
    await expect(compareProfiles({ base, test: empty })).rejects.toMatchObject({ code: 'EMPTY_PROFILE' });
    await expect(compareProfiles({ base, test: profileOf('calc-probe') })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
    await expect(compareProfiles({ base, test: '' })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
  });
});

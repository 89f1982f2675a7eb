import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AutofdoError, type BinaryResult, type GenerateOptions, generateProfile } from '../../src/index.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';

const fixtures = ['calc-x86_64', 'shapes-cpp', 'life-rust'].map(fixture);
const temporary = temporaryFolder();
const at = (name: string) => join(temporary.path, name);
const several: GenerateOptions = {
  binary: fixtures.map(({ binary }) => binary),
  perfData: fixtures.map(({ perfData }) => perfData),
};

/** llvm-profgen's profile of each binary alone. */
const expected = fixtures.map((one) => readFileSync(fixturePath(one, 'expected.afdo')));
const bytesOf = (binary: BinaryResult) => Buffer.from(binary.bytes ?? []);

describe('several binaries', () => {
  it('get the profiles of llvm-profgen', async () => {
    const { binaries, bytes, size, output } = await generateProfile(several);
    expect([bytes, output]).toEqual([undefined, undefined]);
    expect(binaries.map(({ name }) => name)).toEqual(['calc', 'shapes', 'life']);
    binaries.forEach((binary, index) => {
      expect(bytesOf(binary).equals(expected[index] ?? Buffer.alloc(0))).toBe(true);
      expect(binary.path).toBe(fixtures[index]?.binary);
      expect(binary.buildId).toMatch(/^[0-9a-f]{16,}$/);
      expect(binary.error).toBeUndefined();
      expect(binary.statistics.functions).toBeGreaterThan(0);
    });
    expect(size).toBe(binaries.reduce((sum, binary) => sum + binary.size, 0));
  });

  it('have the statistics and diagnostics of single jobs, and the job has their sums', async () => {
    const together = await generateProfile(several);
    const alone = await Promise.all(fixtures.map(({ binary }) => generateProfile({ ...several, binary })));
    together.binaries.forEach((binary, index) => {
      expect(binary.statistics).toEqual(alone[index]?.binaries[0]?.statistics);
      expect(binary.diagnostics).toEqual(alone[index]?.binaries[0]?.diagnostics);
    });
    const sum = (of: (one: BinaryResult) => bigint) =>
      together.binaries.reduce((total, one) => total + of(one), 0n);
    expect(BigInt(together.statistics.functions)).toBe(sum(({ statistics }) => BigInt(statistics.functions)));
    expect(together.statistics.ledger.crossesBarrier).toBe(
      sum(({ statistics }) => statistics.crossesBarrier),
    );
    const { ledger, branchEntries } = together.statistics;
    expect(Object.values(ledger).reduce((total, entries) => total + entries, 0n)).toBe(branchEntries);
    expect(ledger.used + ledger.crossesBarrier + ledger.noFunction).toBe(
      sum(({ statistics }) => statistics.branchEntries),
    );
  });

  it('are written into a folder', async () => {
    const output = at('deep/folder');
    const { binaries, bytes } = await generateProfile({ ...several, output });
    expect(bytes).toBeUndefined();
    expect(readdirSync(output)).toEqual(['calc.afdo', 'life.afdo', 'shapes.afdo']);
    binaries.forEach((binary, index) => {
      expect(binary.bytes).toBeUndefined();
      expect(readFileSync(binary.output ?? '').equals(expected[index] ?? Buffer.alloc(0))).toBe(true);
    });
  });

  it('are merged into one profile', async () => {
    const output = at('merged.afdo');
    const merged = await generateProfile({ ...several, mergeBinaries: true, output });
    const separate = await generateProfile(several);
    expect(merged.size).toBe(readFileSync(output).length);
    expect(merged.binaries.map((binary) => [binary.output, binary.bytes])).toEqual(
      fixtures.map(() => [undefined, undefined]),
    );
    expect(merged.statistics.totalCount).toBe(separate.statistics.totalCount);
  });

  it('are found in a folder by their build ids', async () => {
    const binaryDir = at('shelf');
    mkdirSync(join(binaryDir, 'below'), { recursive: true });
    for (const { binary, name } of fixtures) copyFileSync(binary, join(binaryDir, 'below', name));
    const { perfData } = several;
    const { binaries } = await generateProfile({ binaryDir, perfData });
    // The names come from the recordings, and not from the files in the folder.
    expect(binaries.map(({ name }) => name)).toEqual(['calc', 'life', 'shapes']);
    expect(binaries.map(({ path }) => path)).toEqual(
      ['calc-x86_64', 'life-rust', 'shapes-cpp'].map((name) => join(binaryDir, 'below', name)),
    );
    const byName = [expected[0], expected[2], expected[1]];
    binaries.forEach((binary, index) => {
      expect(bytesOf(binary).equals(byName[index] ?? Buffer.alloc(0))).toBe(true);
    });
  });

  it('are independent: one without samples has an error of its own', async () => {
    const [calc, shapes] = fixtures;
    const { binaries, diagnostics } = await generateProfile({
      binary: [calc?.binary ?? '', shapes?.binary ?? ''],
      perfData: calc?.perfData,
      output: at('partly'),
    });
    expect(readdirSync(at('partly'))).toEqual(['calc.afdo']);
    expect(binaries[0]?.error).toBeUndefined();
    expect(binaries[1]?.error).toBeInstanceOf(AutofdoError);
    expect(binaries[1]?.error).toMatchObject({ code: 'NO_MAPPING', hint: expect.any(String) });
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code: 'binary-without-profile', severity: 'warning' }),
    );
  });

  it('leave no file behind if the job fails', async () => {
    const output = at('nothing');
    const wrong = { ...several, output, binary: [...(several.binary ?? []), at('missing')] };
    await expect(generateProfile(wrong)).rejects.toMatchObject({ code: 'BINARY_UNREADABLE' });
    const lossy = generateProfile({ ...several, output, maxLoss: 0, strict: true });
    await expect(lossy).rejects.toMatchObject({ code: 'LOSS_EXCEEDED' });
    expect(existsSync(output)).toBe(false);

    writeFileSync(at('file'), 'kept');
    const inTheWay = generateProfile({ ...several, output: at('file') });
    await expect(inTheWay).rejects.toMatchObject({ code: 'INVALID_OPTIONS' });
    expect(readFileSync(at('file'), 'utf8')).toBe('kept');
  });
});

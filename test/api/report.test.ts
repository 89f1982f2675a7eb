import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeProfile, generateProfile, type ProfileReport, readProfile, report } from 'autofdo-gen';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const fixture = (name: string, ...file: string[]) => join(FIXTURES, name, ...file);
const CALC = { binary: fixture('calc-x86_64', 'calc'), perfData: fixture('calc-x86_64', 'perf.data') };
const folder = temporaryFolder();

async function only(options: Parameters<typeof report>[0]): Promise<ProfileReport> {
  const { profiles } = await report(options);
  expect(profiles).toHaveLength(1);
  return profiles[0] as ProfileReport;
}

describe('a report of a recording', () => {
  it("has the functions, counts and ledger of the recording's profile", async () => {
    const made = await report(CALC);
    const output = join(folder.path, 'calc.afdo');
    const { statistics } = await generateProfile({ ...CALC, output });
    const { functions } = await readProfile(output);
    expect(made.recording?.statistics).toEqual(statistics);
    expect(made.failures).toEqual([]);
    const [profile] = made.profiles;
    const own = profile?.functions.flatMap(({ samples }) => samples ?? []);
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(own?.toSorted(byName)).toEqual(functions.toSorted(byName));
    expect(profile?.totalCount).toBe(statistics.totalCount);
    expect(profile?.coverage?.sampledFunctions).toBe(functions.length);
  });

  it('has a function that is only inlined, with its callers', async () => {
    const { functions } = await only(CALC);
    const peek = functions.find(({ name }) => name === 'peek');
    expect(peek?.samples).toBeUndefined();
    expect(peek?.copies).toBeGreaterThan(1);
    expect(peek?.callers.map(({ name }) => name)).toContain('expression');
    const copies = peek?.callers.reduce((sum, { inlined }) => sum + inlined, 0n);
    expect(copies).toBe(peek?.inlinedTotal);
  });

  it('has the calls of a function that its callers count', async () => {
    const { functions } = await only(CALC);
    const find = functions.find(({ name }) => name === 'find');
    const calls = find?.callers.reduce((sum, caller) => sum + caller.calls, 0n);
    const text = readFileSync(fixture('calc-x86_64', 'expected.prof'), 'utf8');
    const inTargets = [...text.matchAll(/: \d+((?: \S+:\d+)+)$/gm)].flatMap(([, targets = '']) => [
      ...targets.matchAll(/ find:(\d+)/g),
    ]);
    expect(inTargets.length).toBeGreaterThan(0);
    expect(calls).toBe(inTargets.reduce((sum, [, count]) => sum + BigInt(count ?? 0), 0n));
  });
});

describe('callers and callees', () => {
  it('have the same calls', async () => {
    const { functions } = await only(CALC);
    const own = new Set(functions.flatMap(({ name, samples }) => (samples === undefined ? [] : [name])));
    const listed = new Set(functions.map(({ name }) => name));
    const row = (from: string, to: string, calls: bigint, inlined: bigint) =>
      `${from} ${to} ${calls} ${inlined}`;
    const down = functions.flatMap(({ name, callees }) =>
      callees.filter((to) => listed.has(to.name)).map((to) => row(name, to.name, to.calls, to.inlined)),
    );
    const up = functions.flatMap(({ name, callers }) =>
      callers.map((from) => row(from.name, name, from.calls, from.inlined)),
    );
    expect(down.length).toBeGreaterThan(own.size);
    expect(down.toSorted()).toEqual(up.toSorted());
  });
});

describe('a report of a finished profile', () => {
  it.each(['expected.afdo', 'expected.prof'])(
    '%s: hot functions are those that `show` counts',
    async (name) => {
      const path = fixture('calc-x86_64', name);
      const { temperatures, thresholds, functions } = await only({ profile: path });
      const { hotFunctions, hotThreshold, summary } = await describeProfile({ path });
      expect(temperatures.hot.functions).toBe(hotFunctions);
      expect(thresholds.hot).toBe(BigInt(hotThreshold));
      const { hot, warm, cold } = temperatures;
      expect(hot.functions + warm.functions + cold.functions).toBe(summary.functions);
      expect(hot.lines + warm.lines + cold.lines).toBe(summary.counts);
      expect(functions.filter(({ samples }) => samples !== undefined)).toHaveLength(summary.functions);
    },
  );

  it('keeps all 64 bits of counts', async () => {
    const large = 2n ** 63n + 1n;
    const path = folder.write('large.prof', `f:${large}:1\n 1: ${large} g:${large}\n`);
    const { functions, maxCount, thresholds } = await only({ profile: path });
    expect(functions.map(({ name, total }) => [name, total])).toEqual([['f', large]]);
    expect([maxCount, thresholds.hot]).toEqual([large, large]);
    expect(functions[0]?.samples?.body[0]?.targets).toEqual([{ name: 'g', count: large }]);
  });

  it('tells the callers of functions in contexts', async () => {
    const text =
      '[main]:9:1\n 1.2: 5 foo:5\n[main:1.2 @ foo]:50:5\n 2: 5 leaf:5\n[main:1.2 @ foo:2 @ leaf]:90:5\n 1: 9\n';
    const { functions, contextSensitive } = await only({ profile: folder.write('contexts.prof', text) });
    expect(contextSensitive).toBe(true);
    expect(
      functions.map(({ name, callers }) => [name, callers.map((caller) => [caller.name, caller.calls])]),
    ).toEqual([
      ['main:1.2 @ foo:2 @ leaf', [['main:1.2 @ foo', 5n]]],
      ['main:1.2 @ foo', [['main', 5n]]],
      ['main', []],
    ]);
  });

  it('compares with an older profile', async () => {
    const base = folder.write('old.prof', 'f:10:1\n 1: 10\ngone:5:0\n 1: 5\n');
    const profile = folder.write('new.prof', 'f:10:1\n 1: 10\ncame:7:0\n 1: 7\n');
    const { comparison } = await only({ profile, base });
    expect(comparison?.result.gained.map(({ name }) => name)).toEqual(['came']);
    expect(comparison?.result.lost.map(({ name }) => name)).toEqual(['gone']);
    expect(comparison?.functions.get('gone')?.total).toBe(5n);
  });

  it('compares a profile that was just made, too', async () => {
    const { comparison } = await only({ ...CALC, base: fixture('calc-x86_64', 'expected.afdo') });
    expect(comparison?.result.similarity).toBe(1);
  });

  it('may have several profiles', async () => {
    const paths = [fixture('calc-x86_64', 'expected.afdo'), fixture('shapes-cpp', 'expected.afdo')];
    const { profiles } = await report({ profile: paths });
    expect(profiles.map(({ path }) => path)).toEqual(paths);
    await expect(report({ profile: paths, base: paths[0] })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
    });
  });

  it('has the names in the source', async () => {
    const { names } = await only({ profile: fixture('shapes-cpp', 'expected.prof') });
    expect(names.size).toBeGreaterThan(0);
    for (const [mangled, shown] of names)
      expect([mangled.slice(0, 2), shown]).toEqual(['_Z', expect.stringMatching(/^[\w(].*[\w)>\]]$/)]);
  });
});

describe('the places of declarations', () => {
  it.each([
    ['calc-x86_64', 'calc'],
    ['calc-aarch64', 'calc'],
    ['calc-dwarf4', 'calc'],
    ['calc-gcc', 'calc'],
    ['calc-split-dwo', 'calc'],
    ['calc-split-dwp', 'calc'],
  ])('of %s are lines that contain the name', async (name, program) => {
    const { places, sources } = await only({
      profile: fixture(name, 'expected.prof'),
      binary: fixture(name, program),
      sourceDir: FIXTURES,
    });
    const own = [...places].filter(([, { file }]) => sources.has(file));
    expect(own.length).toBeGreaterThan(10);
    // `static int` may stand on a line of its own.
    const text = (file: string, line: number) =>
      [line, line + 1].map((number) => sources.get(file)?.get(number)).join(' ');
    for (const [name, { file, line }] of own) expect(text(file, line)).toMatch(new RegExp(`\\b${name}\\(`));
  });

  it('no file outside of the source folder is read', async () => {
    const { sources } = await only({
      profile: fixture('calc-x86_64', 'expected.prof'),
      binary: CALC.binary,
      sourceDir: folder.path,
    });
    expect(sources.size).toBe(0);
  });
});

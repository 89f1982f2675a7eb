import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  compareProfiles,
  convertProfile,
  describeProfile,
  type MergeOptions,
  mergeProfiles,
  parseProfile,
  readProfile,
} from '../../src/index.js';
import { functionTexts, hottestFirst } from '../../src/report/function-samples.js';
import { hasLlvmProfdata, llvmMerge, llvmProfdata } from '../support/llvm-profdata.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();

/** Profiles by lines and by probes. Each has a context whose caller has no counts, and a cold context. */
const LINES = `[main:3 @ _Z5funcAi:1 @ _Z8funcLeafi]:1467299:11
 0: 6
 3: 287884
 4: 287864 _Z3fibi:315608
 !Attributes: 2
[main:3.1 @ _Z5funcBi:1 @ _Z8funcLeafi]:500853:20
 0: 15
 3: 74946
 10: 23324
 11: 23327 _Z3fibi:25228
[main]:360:3
 2: 12
 3: 18 _Z5funcAi:11
 3.1: 18 _Z5funcBi:19
[external:10 @ _Z5funcBi]:120:10
 0: 10
[main:3 @ _Z5funcAi]:99:11
 0: 10
 1: 10 _Z8funcLeafi:11
 !Attributes: 3
[_Z3fibi:7 @ _Z3fibi]:2:1
 1: 2
`;
const PROBES = LINES.replace(/^(?=\[)/gm, ' !CFGChecksum: 77\n')
  .replace(/^ !CFGChecksum: 77\n/, '')
  .replace(/( !Attributes: \d\n)( !CFGChecksum: 77\n)/g, '$2$1')
  .concat(' !CFGChecksum: 77\n');

describe.each([
  ['lines', LINES],
  ['probes', PROBES],
])('a profile with calling contexts, by %s', (name, text) => {
  const source = temporary.write(`${name}.prof`, text);
  const at = (form: string) => join(temporary.path, `${name}.${form}`);
  const forms = [
    ['plain', {}],
    ['md5', { useMd5: true }],
    ['compressed', { compressAllSections: true }],
  ] as const;

  beforeAll(async () => {
    for (const [form, options] of forms) {
      await convertProfile({ input: source, output: at(form), ...options });
    }
  });

  it('is read equally from text and extbinary', async () => {
    const digits = (_: string, value: unknown) => (typeof value === 'bigint' ? value.toString() : value);
    const functions = async (path: string) => JSON.stringify((await readProfile(path)).functions, digits);
    const expected = await functions(source);
    expect(await functions(at('plain'))).toBe(expected);
    expect(await functions(at('compressed'))).toBe(expected);
    const { contextSensitive, functions: read, summary } = await readProfile(at('plain'));
    expect(contextSensitive).toBe(true);
    expect(read[0]).toMatchObject({
      name: '_Z8funcLeafi',
      callers: [
        { name: 'main', line: 3, discriminator: 0 },
        { name: '_Z5funcAi', line: 1, discriminator: 0 },
      ],
      attributes: 2,
    });
    expect(summary?.functions).toBe(5);
    expect((await readProfile(at('md5'))).functions[0]?.callers).toHaveLength(2);
  });

  it('is described', async () => {
    const description = await describeProfile({ path: at('plain') });
    expect(description).toMatchObject({ contexts: 6, probeBased: name === 'probes', preInlined: true });
    expect(description.functions[0]?.name).toBe('main:3 @ _Z5funcAi:1 @ _Z8funcLeafi');
    const shown = (await runCli(['show', source])).stdout.toString();
    expect(shown).toMatch(/format +text, .*calling contexts/);
    expect(shown).toMatch(/functions +5\ncontexts +6, 2 hot\n/);
  });

  it('shows a function in one context, or in all contexts', async () => {
    const show = async (...args: string[]) => (await runCli(['show', source, ...args])).stdout.toString();
    const all = await show('--function', '_Z5funcBi');
    expect(all.match(/^Function: .*?: (?=CFG|\d)/gm)).toEqual(['Function: external:10 @ _Z5funcBi: ']);
    expect(await show('--function', 'external:10 @ _Z5funcBi')).toBe(all);
    const json = JSON.parse(await show('--json', '--function', '_Z5funcBi'));
    expect(json.functions[0].callers).toEqual([{ function: 'external', line: 10 }]);
  });

  describe.skipIf(!hasLlvmProfdata)('beside llvm-profdata-22', () => {
    it.each(forms)('%s gives the same profile', async (form, options) => {
      const { bytes } = await mergeProfiles({ inputs: [at(form)], format: 'text' });
      expect(Buffer.from(bytes ?? []).toString()).toBe(
        llvmMerge(temporary.path, '--text', at(form)).toString(),
      );
      if (form === 'compressed') return; // zlib may compress in another way.
      const flags = options && 'useMd5' in options ? ['--use-md5'] : [];
      const theirs = llvmMerge(temporary.path, '--extbinary', ...flags, source);
      const ours = readFileSync(at(form));
      const { sections } = await describeProfile({ path: at(form) });
      // LLVM writes the last section in the order of a hash table.
      const metadata = sections.find((section) => section.name === 'FunctionMetadata')?.offset ?? 0;
      expect(metadata).toBeGreaterThan(0);
      expect(ours.subarray(0, metadata).equals(theirs.subarray(0, metadata))).toBe(true);
      expect(ours.length).toBe(theirs.length);
    });

    it.each<[string[], Partial<MergeOptions>]>([
      [['--convert-sample-profile-layout=flat'], { convertSampleProfileLayout: 'flat' }],
      [['--convert-sample-profile-layout=nest'], { convertSampleProfileLayout: 'nest' }],
      [
        ['--convert-sample-profile-layout=nest', '--generate-merged-base-profiles'],
        { convertSampleProfileLayout: 'nest', generateMergedBaseProfiles: true },
      ],
      [
        ['--sample-merge-cold-context', '--profile-summary-cold-count=200'],
        { sampleMergeColdContext: true, profileSummaryColdCount: 200 },
      ],
      [['--sample-trim-cold-context'], { sampleTrimColdContext: true }],
      [
        [
          '--sample-merge-cold-context',
          '--sample-trim-cold-context',
          '--sample-frame-depth-for-cold-context=2',
          '--profile-summary-cutoff-cold=900000',
        ],
        {
          sampleMergeColdContext: true,
          sampleTrimColdContext: true,
          sampleFrameDepthForColdContext: 2,
          profileSummaryCutoffCold: 900_000,
        },
      ],
      [['--function=funcA', '--no-function=Leaf'], { function: 'funcA', noFunction: 'Leaf' }],
    ])('with %s', async (flags, options) => {
      const expected = llvmMerge(temporary.path, '--text', ...flags, source).toString();
      const { bytes } = await mergeProfiles({ inputs: [source], format: 'text', ...options });
      expect(Buffer.from(bytes ?? []).toString()).toBe(expected);
      const run = await runCli(['merge', ...flags, '--text', source, '-o', '-']);
      expect(run.stdout.toString()).toBe(expected);
    });

    it('shows the same', async () => {
      const show = (...args: string[]) => llvmProfdata('show', '--sample', ...args);
      for (const form of ['plain', 'md5']) {
        const profile = await readProfile(at(form));
        expect([...functionTexts(profile, hottestFirst(profile))].join('')).toBe(show(at(form)));
      }
      const { text: summary } = await describeProfile({
        path: source,
        detailedSummary: true,
        hotFunctions: true,
      });
      expect(show('--detailed-summary', '--hot-func-list', source).endsWith(`\n${summary}`)).toBe(true);
    });

    it('has the same overlap with a part of itself', async () => {
      const part = temporary.write(`${name}.part.prof`, text.slice(0, text.indexOf('[main]')));
      const { text: printed } = await compareProfiles({ base: source, test: part });
      expect(printed).toBe(llvmProfdata('overlap', '--sample', source, part));
    });
  });
});

describe('a context of 100,000 callers', () => {
  const callers = Array.from({ length: 100_000 }, (_, index) => `f${index}:${(index % 7) + 1}`);
  const source = temporary.write(
    'deep.prof',
    `[${callers.join(' @ ')} @ leaf]:1000:10\n 1: 10\n[main]:50:1\n 1: 5\n`,
  );
  const calc = 'fixtures/calc-x86_64/calc';

  it.each([
    ['the pre-inliner', ['--binary', calc, '--llvm-sample-profile', source], /^leaf:1000:10$/m],
    ['merge', ['merge', source], /@ f99999:5 @ leaf\]:1000:10$/m],
    [
      'merge of cold contexts',
      ['merge', source, '--sample-merge-cold-context', '--sample-frame-depth-for-cold-context=3'],
      /@ f99999:5 @ leaf\]:1000:10$/m,
    ],
    ['flattening', ['convert', source, '--convert-sample-profile-layout=flat'], /^leaf:1000:10$/m],
    ['nesting', ['convert', source, '--convert-sample-profile-layout=nest'], /^leaf:1000:10$/m],
  ])('is no problem to %s', async (_, args, expected) => {
    const output = join(temporary.path, 'deep.out');
    const run = await runCli([...args, '-q', '--format=text', '-o', output]);
    expect(run).toMatchObject({ status: 0, signal: null });
    expect(readFileSync(output, 'utf8')).toMatch(expected);
  });

  it('is no problem to show and overlap', async () => {
    const { stdout } = await runCli(['show', source, '--function', 'leaf']);
    expect(stdout.toString().match(/ @ /g)).toHaveLength(100_000);
    const { text: overlap } = await compareProfiles({ base: source, test: source });
    expect(overlap).toContain('100.000%');
  });
});

it('profiles with contexts are not merged with profiles without contexts', async () => {
  const contexts = temporary.write('contexts.prof', LINES);
  const base = temporary.write('base.prof', 'main:1:1\n 1: 1\n');
  await expect(mergeProfiles({ inputs: [base, contexts] })).rejects.toMatchObject({
    code: 'UNSUPPORTED',
    message: expect.stringContaining('contexts.prof is context-sensitive and '),
    hint: expect.stringContaining("`convertProfile({ convertSampleProfileLayout: 'nest' })`"),
  });
});

it('a conversion says that a profile has no contexts to change', async () => {
  const base = temporary.write('base.prof', 'main:1:1\n 1: 1\n');
  const { diagnostics } = await mergeProfiles({ inputs: [base], sampleMergeColdContext: true });
  expect(diagnostics.map(({ code }) => code)).toEqual(['contexts-absent']);
});

it.skipIf(!hasLlvmProfdata)('functions without contexts are trimmed, too', async () => {
  const base = temporary.write('base.prof', 'main:1:1\n 1: 1\nhot:9000:1\n 1: 9000\n');
  const flags = ['--sample-trim-cold-context', '--profile-summary-cold-count=2'];
  const options = { sampleTrimColdContext: true, profileSummaryColdCount: 2 };
  const { bytes } = await mergeProfiles({ inputs: [base], ...options, format: 'text' });
  const expected = llvmMerge(temporary.path, '--text', ...flags, base).toString();
  expect(Buffer.from(bytes ?? []).toString()).toBe(expected);
  expect(expected).toBe('hot:9000:1\n 1: 9000\n');
});

it('a damaged context is an error', () => {
  const parse = (text: string) => () => parseProfile(Buffer.from(text));
  expect(parse('[main:1 @ ]:1:1\n')).toThrow(/in place of \[CALLER:LINE @ ... @ NAME\] at line 1/);
  expect(parse('[main:1 @ f]:1:1\n 1: 1\nf:1:1\n')).toThrow(/with and without calling contexts at line 3/);
  expect(parse('[main:1 @ f]:1:1\n 1: g:1\n')).toThrow(/inlined into one with a calling context at line 2/);
});

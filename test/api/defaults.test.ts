import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { type FlagTable, flagOf } from '../../src/options/flag.js';
import { GENERATE_OPTIONS } from '../../src/options/generate.js';
import { MERGE_OPTIONS } from '../../src/options/merge.js';

// The defaults are defined in Rust. The help and the comments of the library's types repeat them for people. This
// test compares the three.

const read = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const rust = (file: string) => read(`native/crates/${file}`);
const snake = (name: string) =>
  name.replace(/(?<=[a-z])[A-Z]|(?<=[a-z])\d/g, (letter) => `_${letter}`).toLowerCase();

/** Returns the fields in the body of a function that makes a structure. */
function fieldsIn(source: string, from: string): Map<string, string> {
  const body = source.slice(source.indexOf(from)).split(/^ {4}\}$/m)[0] ?? '';
  return new Map(
    [...body.matchAll(/^ {12}(\w+): (.+),$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** Returns a value of Rust as the help writes it. `None` and `false` are not written as defaults. */
function shown(value: string): string | undefined {
  if (value === 'None' || value === 'false') return undefined;
  if (value === 'true') return 'on';
  if (value === 'u32::MAX - 1') return String(2 ** 32 - 2);
  return String(Number(value.replaceAll('_', '')));
}

const ofJob = fieldsIn(rust('profgen/src/request/options.rs'), 'pub fn new(');
const preInliner = rust('profgen/src/request/pre_inlining.rs');
const ofPreInliner = fieldsIn(preInliner, 'fn default()');
/** The flag of each field of the pre-inliner. The comment of the field names it. */
const flagsOfPreInliner = new Map(
  [...preInliner.matchAll(/\/\/\/ `--([a-z-]+)`.*\n\s+pub (\w+):/g)].map(([, flag = '', field = '']) => [
    flag,
    field,
  ]),
);

/**
 * Returns the value that Rust uses if an option is absent. Returns `undefined` if it is not a plain value there.
 */
function defaultOf(field: string, flag: string): string | undefined {
  const inPreInliner = flagsOfPreInliner.get(flag);
  return inPreInliner === undefined ? ofJob.get(snake(field)) : ofPreInliner.get(inPreInliner);
}

/** Returns the default in the comment of an interface's field. */
function documented(source: string, field: string): string | undefined {
  const comment = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n  ${field}\\?:`).exec(source)?.[1];
  return comment?.match(/default:? `?(\w+)`?/)?.[1];
}

it('help and comments name the defaults of a job', () => {
  const interfaces = ['generate', 'selection', 'contexts']
    .map((file) => read(`src/options/${file}.ts`))
    .join('');
  let compared = 0;
  for (const [field, option] of Object.entries(GENERATE_OPTIONS as FlagTable)) {
    const flag = flagOf(option);
    const rusts = flag && defaultOf(field, flag.name);
    if (flag === undefined || rusts === undefined || !/^(true|false|[\d._]+|u32::MAX - 1)$/.test(rusts))
      continue;
    const value = shown(rusts);
    if (field !== 'jobs') expect([field, flag.default]).toEqual([field, value]);
    const said = documented(interfaces, field);
    if (said !== undefined) {
      expect([field, said]).toEqual([field, value === undefined ? 'false' : value === 'on' ? 'true' : value]);
    }
    compared += 1;
  }
  expect(compared).toBeGreaterThan(35);
});

it('help and comments name the defaults of a merge', () => {
  const source = rust('napi/src/merge.rs');
  const cutoff = /const COLD_CUTOFF: u32 = ([\d_]+);/.exec(source)?.[1];
  const frames = /sample_frame_depth_for_cold_context\.unwrap_or\((\d+)\)/.exec(source)?.[1];
  expect(MERGE_OPTIONS.profileSummaryCutoffCold.default).toBe(shown(cutoff ?? ''));
  expect(MERGE_OPTIONS.sampleFrameDepthForColdContext.default).toBe(frames);
  const comments = read('src/options/merge.ts');
  expect(documented(comments, 'profileSummaryCutoffCold')).toBe(shown(cutoff ?? ''));
  expect(documented(comments, 'sampleFrameDepthForColdContext')).toBe(frames);
});

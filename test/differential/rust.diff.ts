import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compareProgram } from './compare.js';
import { ours } from './generators.js';
import { type Program, recorded } from './program.js';
import { repository, run, shell } from './tools.js';

const words = 'rustc --edition 2021 $programs/words.rs -o program';
const tools = ['rustc'];

const programs: Program[] = [
  { name: 'rust-release', tools, build: [`${words} -O -g`] },
  { name: 'rust-one-unit', tools, build: [`${words} -O -C debuginfo=1 -C codegen-units=1`] },
  { name: 'rust-fat-lto', tools, build: [`${words} -C opt-level=s -g -C lto=fat`] },
  { name: 'rust-v0-names', tools, build: [`${words} -O -g -C symbol-mangling-version=v0`] },
];

for (const program of programs) compareProgram(program);

/** The flags in docs/rust.md: a setting of cargo and flags of rustc. */
const FLAGS = '-Zdebug-info-for-profiling -Csymbol-mangling-version=v0';
const cargo = (more = '') =>
  `CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="${FLAGS}${more}" cargo +nightly build --release --quiet --offline`;

const first: Program = {
  name: 'rust-first-build',
  build: [
    'cargo new --quiet --vcs none app',
    'cp $programs/words.rs app/src/main.rs',
    `cd app && ${cargo()}`,
    'cp app/target/release/app program',
  ],
  record: 'period=97',
};

/** True if there is a nightly compiler with the flags of docs/rust.md. Newer compilers have them without `-Z`. */
const hasNightly = spawnSync('rustc', ['+nightly', '-Zhelp'], { encoding: 'utf8' }).stdout?.includes(
  'profile-sample-use',
);

describe('the steps of docs/rust.md', () => {
  test.skipIf(!hasNightly)('make a program that takes fewer branches (needs a nightly rustc)', () => {
    const { folder } = recorded(first);
    const flags = ['--binary=program', '--perfdata=perf.data', '--format=extbinary'];
    const { status, stderr, output } = ours(folder, flags);
    expect(status, stderr).toBe(0);
    expect(output?.length).toBeGreaterThan(1000);
    writeFileSync(join(folder, 'program.afdo'), output ?? '');
    const use = ` -Zprofile-sample-use=$PWD/../program.afdo --emit=llvm-ir,link`;
    shell(`cd app && ${cargo(use)} && cp target/release/app ../second`, folder);
    shell('cat app/target/release/deps/app-*.ll > second.ll', folder);
    expect(readFileSync(join(folder, 'second.ll'), 'utf8')).toContain('function_entry_count');
    expect(run('./second', [], folder)).toEqual(run('./program', [], folder));
    const recorder = join(repository, 'test/recorder/record-program.sh');
    const samples = (name: string) => {
      const { stderr: told } = run(recorder, [`${name}.data`, 'period=97', '--', `./${name}`], folder);
      return Number(/(\d+) samples/.exec(told)?.[1]);
    };
    expect(samples('second')).toBeLessThan(samples('program'));
  });
});

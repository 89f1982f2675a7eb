import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allFixtures, fixture, fixturePath } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';
import { cli, run } from './tools.js';

/** Folder with the programs of LLVM 23.1. If possible, .ci/run installs them from PyPI. */
const bin = process.env['AUTOFDO_LLVM_23'] ?? '';
const isThere = bin !== '' && existsSync(join(bin, 'llvm-profgen'));
const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');

/** Runs a program of LLVM 23, which must succeed. */
function llvm(program: string, ...args: string[]) {
  const done = run(join(bin, program), args, temporary.path);
  expect(done.status, done.stderr).toBe(0);
  return done;
}

/** Returns the profile of a fixture, made by this checkout. */
function ours(one: typeof calc, format: string): string {
  const output = join(temporary.path, `${one.name}.${format}`);
  const args = [cli, '--binary', one.binary, '--perfdata', one.perfData, '--format', format, '-o', output];
  const { status, stderr } = run(process.execPath, args, temporary.path);
  expect(status, stderr).toBe(0);
  return output;
}

if (!isThere) test.skip('LLVM 23.1 beside LLVM 22 (missing: AUTOFDO_LLVM_23, the folder of its programs)');

describe.runIf(isThere)('LLVM 23.1', () => {
  // These programs of LLVM are built for x86 only.
  const programs = allFixtures().filter(({ name }) =>
    /^(calc-(x86_64|dwarf4|gcc|probe)|shapes-cpp)$/.test(name),
  );

  test.each(programs)('llvm-profgen makes the same profile of $name', (one) => {
    const theirs = join(temporary.path, `${one.name}.theirs`);
    const input = [`--binary=${one.binary}`, `--perfdata=${one.perfData}`];
    llvm('llvm-profgen', ...input, '--format=text', `--output=${theirs}`);
    expect(readFileSync(ours(one, 'text'), 'utf8')).toBe(readFileSync(theirs, 'utf8'));
  });

  test.each(programs)('llvm-profdata reads the profile of $name', (one) => {
    const { stdout } = llvm(
      'llvm-profdata',
      'merge',
      '--sample',
      '--text',
      ours(one, 'extbinary'),
      '-o',
      '-',
    );
    expect(stdout).toBe(readFileSync(fixturePath(one, 'expected.prof'), 'utf8'));
  });

  test.each([['extbinary'], ['binary'], ['text']])(
    'clang uses a profile in %s without a warning',
    (format) => {
      const source = fixturePath(calc, '../src/calc.c');
      const flags = ['-O2', '-g', '-fdebug-info-for-profiling', '-Rpass-analysis=sample-profile', '-S'];
      const { stderr } = llvm(
        'clang',
        ...flags,
        `-fprofile-sample-use=${ours(calc, format)}`,
        '-o',
        '/dev/null',
        source,
      );
      expect(stderr.match(/Applied \d+ samples/g)?.length).toBeGreaterThan(20);
      expect(stderr).not.toMatch(/warning:|error:/);
    },
  );
});

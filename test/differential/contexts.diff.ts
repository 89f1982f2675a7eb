import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { temporaryFolder } from '../support/temporary.js';
import { cli, run, testWith } from './tools.js';

const temporary = temporaryFolder();

const SOURCE = `
int leaf(int x) { if (x & 1) return x * 3; return x + 7; }
int mid(int x) { int s = 0; for (int i = 0; i < x; i++) s += leaf(i); return s; }
int other(int x) { return leaf(x) + 1; }
int main(int argc, char **argv) {
  int s = 0;
  for (int i = 0; i < 1000; i++) s += mid(i + argc);
  return s + other(argc);
}
`;

/** Makes a profile by probes, with the compiler's checksums of these functions. */
function contextProfile(checksums: ReadonlyMap<string, string>): string {
  const metadata = (name: string) => ` !CFGChecksum: ${checksums.get(name)}\n`;
  return [
    `[main:3 @ mid:3 @ leaf]:900000:300000\n 1: 300000\n 2: 200000\n 3: 100000\n${metadata('leaf')} !Attributes: 2\n`,
    `[main:3 @ mid]:800000:1000\n 1: 1000\n 2: 300000\n 3: 300000 leaf:300000\n${metadata('mid')} !Attributes: 2\n`,
    `[main]:5000:1\n 1: 1\n 2: 1000\n 3: 1000 mid:1000\n${metadata('main')}`,
    `[main:6 @ other:2 @ leaf]:3:1\n 1: 1\n 2: 1\n${metadata('leaf')}`,
  ].join('');
}

describe('clang makes the same object file of a profile with contexts', () => {
  const tools = ['clang-22', 'llvm-profdata-22'];
  testWith(tools, "as of llvm-profdata's copy of the profile", () => {
    const folder = temporary.path;
    const ok = (command: string, ...args: string[]) => {
      const done = run(command, args, folder);
      expect(done, `${command} ${args.join(' ')}`).toMatchObject({ status: 0, stderr: '' });
      return done;
    };
    writeFileSync(join(folder, 'program.c'), SOURCE);
    const build = ['-fpseudo-probe-for-profiling', 'program.c'];
    ok('clang-22', '-O1', ...build, '-S', '-emit-llvm', '-o', 'program.ll');
    const descriptors = readFileSync(join(folder, 'program.ll'), 'utf8').matchAll(
      /!\{i64 -?\d+, i64 (\d+), !"(\w+)"\}/g,
    );
    const checksums = new Map([...descriptors].map(([, checksum = '', name = '']) => [name, checksum]));
    expect([...checksums.keys()].sort()).toEqual(['leaf', 'main', 'mid', 'other']);
    writeFileSync(join(folder, 'cs.prof'), contextProfile(checksums));

    const compiled = (profile: string) => {
      const use = profile === '' ? [] : [`-fprofile-sample-use=${profile}`];
      ok('clang-22', '-O2', '-Wall', ...use, ...build, '-c', '-o', 'program.o');
      return readFileSync(join(folder, 'program.o')).toString('base64');
    };
    for (const layout of [[], ['--convert-sample-profile-layout=nest']]) {
      ok('llvm-profdata-22', 'merge', '--sample', '--extbinary', ...layout, 'cs.prof', '-o', 'theirs.afdo');
      const expected = compiled('theirs.afdo');
      expect(expected).not.toBe(compiled(''));
      for (const form of [[], ['--use-md5'], ['--compress-all-sections']]) {
        ok(process.execPath, cli, 'convert', ...layout, ...form, 'cs.prof', '-q', '-o', 'ours.afdo');
        expect(compiled('ours.afdo'), [...layout, ...form].join(' ')).toBe(expected);
      }
    }
  });
});

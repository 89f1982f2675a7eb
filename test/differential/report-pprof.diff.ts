import { join } from 'node:path';
import { report } from 'autofdo-gen';
import { describe, expect } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';
import { cli, run, shell, testWith } from './tools.js';

/** Path of pprof's source in Debian's golang-github-google-pprof-dev. */
const SOURCE = '/usr/share/gocode/src/github.com/google/pprof/pprof.go';
const { path: folder } = temporaryFolder();
const pprof = join(folder, 'pprof');

/** Returns the counts of each function's own lines, as pprof prints them. */
function flatCounts(file: string): Map<string, number> {
  const { status, stdout, stderr } = run(pprof, ['-top', '-nodecount=0', '-nodefraction=0', file], folder);
  expect(status, stderr).toBe(0);
  const rows = stdout.matchAll(
    /^ +(\d+) +[\d.]+% +[\d.]+% +\d+ +[\d.]+% +(.*?)(?: \((?:partial-)?inline\))?$/gm,
  );
  return new Map([...rows].map(([, flat, name = '']) => [name, Number(flat)]));
}

describe('pprof reads what report writes', () => {
  for (const name of ['calc-x86_64', 'life-rust', 'shapes-cpp']) {
    testWith(['go', SOURCE], name, async () => {
      shell(`test -x ${pprof} || go build -o ${pprof} github.com/google/pprof`, folder, {
        GO111MODULE: 'off',
        GOPATH: '/usr/share/gocode',
        GOCACHE: join(folder, 'cache'),
      });
      const { binary, perfData } = fixture(name);
      const file = join(folder, `${name}.pb.gz`);
      const { status, stderr } = run(
        process.execPath,
        [cli, 'report', '--binary', binary, '--perfdata', perfData, '-o', file],
        folder,
      );
      expect(status, stderr).toBe(0);
      const { profiles } = await report({ binary, perfData });
      const expected = new Map<string, number>();
      for (const { name: mangled, self, copyLines } of profiles[0]?.functions ?? []) {
        const count = Number(copyLines.reduce((sum, line) => sum + line.count, self));
        const shown = profiles[0]?.names.get(mangled) ?? mangled;
        if (count > 0) expected.set(shown, (expected.get(shown) ?? 0) + count);
      }
      const found = flatCounts(file);
      const sum = (counts: Map<string, number>) =>
        [...counts.values()].reduce((total, count) => total + count, 0);
      expect(sum(found)).toBe(Number(profiles[0]?.totalCount));
      expect(sum(expected)).toBe(sum(found));
      // pprof shortens names of C++ and Rust in its own way, and adds up functions whose short names are equal.
      if (name === 'calc-x86_64') expect(Object.fromEntries(found)).toEqual(Object.fromEntries(expected));
    });
  }
});

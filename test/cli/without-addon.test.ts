import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { BRANCH_EVENT, PerfDataBuilder } from '../support/perf-data-builder.js';
import { temporaryFolder } from '../support/temporary.js';
import { StoredZstdFrame } from '../support/zstd-frame.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const calc = fixture('calc-x86_64');

/** The package as it is where no addon was installed for the platform. */
const temporary = temporaryFolder();
const copy = join(temporary.path, 'package');
mkdirSync(copy);
for (const part of ['dist', 'native/binding/index.cjs']) {
  cpSync(join(ROOT, part), join(copy, part), { recursive: true });
}
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const platforms = ['linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'linux-arm64-musl', 'darwin-arm64'];
manifest.optionalDependencies = Object.fromEntries(
  platforms.map((platform) => [`@autofdo-gen/binding-${platform}`, manifest.version]),
);
writeFileSync(join(copy, 'package.json'), JSON.stringify(manifest));
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
const main = join(copy, 'dist/cli/main.js');

it('inspect works', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, 'inspect', calc.perfData], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('AutoFDO         usable');
  expect(status).toBe(0);
});

it("inspect reads compressed recordings with Node's zlib, or says that it cannot", () => {
  const inner = new PerfDataBuilder().sample({ branches: [{ from: 1n, to: 2n }] }).data();
  const builder = new PerfDataBuilder().event(BRANCH_EVENT).mmap(1, 0x1000n, 0x1000n, '/bin/app');
  const path = temporary.write('z.data', builder.record(81, 0, new StoredZstdFrame().push(inner)).file());
  const { status, stdout } = spawnSync(process.execPath, [main, 'inspect', path, '--json'], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const canRead = 'createZstdDecompress' in zlib;
  expect(JSON.parse(stdout)).toMatchObject({
    mmaps: 1,
    samples: canRead ? 1 : 0,
    complete: canRead,
    problems: canRead ? [] : [expect.stringContaining('Node 22.15 or the addon is needed')],
  });
});

it('generating a profile says which package is missing', () => {
  const args = [main, '--binary', calc.binary, '--perfdata', calc.perfData, '-o', join(copy, 'none.afdo')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toMatch(
    new RegExp(`^error: the package @autofdo-gen/binding-${process.platform}-${process.arch}\\S* `),
  );
  expect(stderr).toContain('npm install --include=optional');
  expect(status).toBe(1);
});

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const calc = fixture('calc-x86_64');

/** The package without an addon, as it is if none was installed for the platform. */
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

it('inspect describes the parts outside of the records', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, 'inspect', calc.perfData], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('machine         ');
  expect(stdout).toMatch(/event +\S+/);
  expect(stdout).toMatch(/problem +its records were not read: .*addon/);
  expect(stdout).toContain('no sample of it could be read');
  expect(status).toBe(0);
});

it('generating a profile names the missing package', () => {
  const args = [main, '--binary', calc.binary, '--perfdata', calc.perfData, '-o', join(copy, 'none.afdo')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toMatch(
    new RegExp(`^error: the package @autofdo-gen/binding-${process.platform}-${process.arch}\\S* `),
  );
  expect(stderr).toContain('npm install --include=optional');
  expect(status).toBe(1);
});

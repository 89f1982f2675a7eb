import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const calc = fixture('calc-x86_64');

/** The package as it is where no addon was installed for the platform. */
const copy = join(temporaryFolder().path, 'package');
mkdirSync(copy);
for (const part of ['dist', 'package.json']) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
const main = join(copy, 'dist/cli/main.js');

it('inspect works', () => {
  const { status, stdout } = spawnSync(process.execPath, [main, 'inspect', calc.perfData], {
    encoding: 'utf8',
  });
  expect(stdout).toContain('AutoFDO         usable');
  expect(status).toBe(0);
});

it('generating a profile says what is missing', () => {
  const args = [main, '--binary', calc.binary, '--perfdata', calc.perfData, '-o', join(copy, 'none.afdo')];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toMatch(/^error: the native addon could not be loaded on \w+-\w+: /);
  expect(stderr).toContain('npm run build:native');
  expect(status).toBe(1);
});

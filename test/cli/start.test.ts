import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { MAIN } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const { binary, perfData } = fixture('calc-x86_64');
const temporary = temporaryFolder();

/** Returns the text of all files of JavaScript that generating a profile loads. */
function loadedCode(environment: Record<string, string>): string {
  const script = `
    process.on('exit', () => console.log(JSON.stringify(Object.keys(require.cache))));
    require(${JSON.stringify(MAIN)});`;
  const job = [
    '--binary',
    binary,
    '--perfdata',
    perfData,
    '--quiet',
    '-o',
    join(temporary.path, 'calc.afdo'),
  ];
  const { stdout, status } = spawnSync(process.execPath, ['-e', script, '--', MAIN, ...job], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  expect(status).toBe(0);
  const files: string[] = JSON.parse(stdout);
  return files
    .filter((file) => /\.c?js$/.test(file))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
}

it('generating a profile loads the code that fetches files only if a server is named', () => {
  const cache = join(temporary.path, 'cache');
  const server = { DEBUGINFOD_URLS: 'http://127.0.0.1:9/', DEBUGINFOD_CACHE_PATH: cache };
  expect(loadedCode(server)).toContain('DEBUGINFOD_MAXTIME');
  const without = loadedCode({ DEBUGINFOD_URLS: '' });
  expect(without).toContain('DEBUGINFOD_URLS');
  expect(without).not.toContain('DEBUGINFOD_MAXTIME');
});

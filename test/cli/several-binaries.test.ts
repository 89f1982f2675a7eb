import { copyFileSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, fixturePath } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const fixtures = ['calc-x86_64', 'shapes-cpp'].map(fixture);
const temporary = temporaryFolder();
const binaries = fixtures.flatMap(({ binary }) => ['--binary', binary]);
const recordings = fixtures.flatMap(({ perfData }) => ['--perfdata', perfData]);

async function run(folder: string, ...args: string[]) {
  const cwd = join(temporary.path, folder);
  mkdirSync(cwd, { recursive: true });
  return { cwd, ...(await runCli([...recordings, ...args], { cwd })) };
}

function expectProfiles(folder: string) {
  expect(readdirSync(folder)).toEqual(['calc.afdo', 'shapes.afdo']);
  for (const one of fixtures) {
    const name = one.name.startsWith('calc') ? 'calc.afdo' : 'shapes.afdo';
    expect(readFileSync(join(folder, name)).equals(readFileSync(fixturePath(one, 'expected.afdo')))).toBe(
      true,
    );
  }
}

describe('autofdo-gen with several binaries', () => {
  it('writes a file for each binary into the current folder', async () => {
    const { status, cwd, stderr } = await run('here', ...binaries, '-v');
    expect(status).toBe(0);
    expectProfiles(cwd);
    expect(stderr).toMatch(/calc: \d+ functions, [\d,]+ branch entries, in .*calc\.afdo/);
  });

  it('makes the folder of -o, and writes into it', async () => {
    const { status, cwd } = await run('there', ...binaries, '-o', 'profiles');
    expect(status).toBe(0);
    expectProfiles(join(cwd, 'profiles'));
  });

  it('finds binaries below --binary-dir', async () => {
    const shelf = join(temporary.path, 'shelf');
    mkdirSync(shelf);
    for (const { binary, name } of fixtures) copyFileSync(binary, join(shelf, name));
    const { status, cwd } = await run('found', '--binary-dir', shelf);
    expect(status).toBe(0);
    expectProfiles(cwd);
  });

  it('merges the profiles into merged.afdo, or to stdout', async () => {
    const merged = await run('merged', ...binaries, '--merge-binaries');
    expect(merged.status).toBe(0);
    expect(readdirSync(merged.cwd)).toEqual(['merged.afdo']);
    const { stdout } = await run('stdout', ...binaries, '--merge-binaries', '-o', '-');
    expect(stdout.equals(readFileSync(join(merged.cwd, 'merged.afdo')))).toBe(true);
  });

  it('describes each binary in --json, with the reason if it has no profile', async () => {
    const [calc, shapes] = fixtures;
    const args = ['--binary', calc?.binary ?? '', '--binary', shapes?.binary ?? '', '--json', '-o', 'out'];
    const { status, stdout } = await runCli([...args, '--perfdata', calc?.perfData ?? ''], {
      cwd: temporary.path,
    });
    expect(status).toBe(0);
    const result = JSON.parse(stdout.toString());
    expect(result).toMatchObject({
      ok: true,
      output: 'out',
      binaries: [
        { name: 'calc', output: join('out', 'calc.afdo') },
        {
          name: 'shapes',
          size: 0,
          error: { code: 'NO_MAPPING', message: expect.stringContaining('shapes') },
        },
      ],
    });
    expect(result.binaries[0]).not.toHaveProperty('bytes');
  });

  it.each([
    [2, 'several profiles cannot go to stdout', ['-o', '-']],
    [2, '--debug-binary and --dwp name files of one binary', ['--dwp', 'x']],
    [1, 'missing: no such file', ['--binary', 'missing']],
    [1, 'missing: no such file', ['--binary-dir', 'missing']],
  ])('exits with %i: %s', async (status, message, args) => {
    const result = await run('failed', ...binaries, ...args);
    expect(result.stderr).toContain(message);
    expect(result.status).toBe(status);
    expect(readdirSync(result.cwd)).toEqual([]);
  });
});

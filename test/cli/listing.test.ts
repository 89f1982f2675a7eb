import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fixture, fixturePath } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

describe('--show-disassembly-only', () => {
  const temporary = temporaryFolder();
  const calc = fixture('calc-probe');
  const binary = `--binary=${fixturePath(calc, 'calc')}`;

  it('prints code and writes no file', async () => {
    const output = join(temporary.path, 'profile');
    const { status, stdout } = await runCli([binary, '--show-disassembly-only', '-o', output]);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^<main>:\n +[0-9a-f]+:\tpushq\t%rbp$/m);
    expect(existsSync(output)).toBe(false);
  });

  it('prints the parts that are asked for', async () => {
    const flags = ['--show-source-locations', '--show-pseudo-probe', '--x86-asm-syntax=intel'];
    const only = '--disassemble-functions=main';
    const run = await runCli([binary, '--show-disassembly-only', only, ...flags]);
    const stdout = run.stdout.toString();
    expect(stdout).toMatch(/^GUID: \d+ Name: main$/m);
    expect(stdout).toMatch(/^ \[Probe\]:\tFUNC: main Index: 1 {2}Type: Block {2}$/m);
    expect(stdout).toMatch(/:\tpush\trbp {20,}main:\d+$/m);
    expect(stdout.match(/^<.*>:$/gm)).toEqual(['<main>:']);
  });

  it('is needed for source locations', async () => {
    const { status, stderr } = await runCli([binary, '--show-source-locations', '--perfdata=x']);
    expect(status).toBe(2);
    expect(stderr).toContain('--show-source-locations is only for listings of code');
  });
});

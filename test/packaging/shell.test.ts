import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeShellFiles } from '../../packaging/shell/write.js';
import { temporaryFolder } from '../support/temporary.js';

const { path: folder } = temporaryFolder();
writeShellFiles(folder, '1.2.3');

const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

/** What bash offers for the last of some words. */
function complete(...words: string[]): string[] {
  const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _autofdo_gen; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const file = join(folder, 'completions/autofdo-gen.bash');
  const { stdout, stderr } = spawnSync('bash', ['-c', script, file, 'autofdo-gen', ...words], {
    encoding: 'utf8',
    cwd: folder,
  });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash completes', () => {
  it('commands', () => {
    expect(complete('')).toEqual(
      expect.arrayContaining(['generate', 'doctor', 'inspect', 'merge', 'show', 'overlap', 'convert']),
    );
    expect(complete('do')).toEqual(['doctor']);
  });

  it('flags of the command, and of `generate` without one', () => {
    expect(complete('--perfd')).toEqual(['--perfdata']);
    expect(complete('overlap', '--thr')).toEqual(['--threshold']);
    expect(complete('overlap', '--perfd')).toEqual([]);
  });

  it('words that a flag takes, also behind =', () => {
    expect(complete('--format', 'ext')).toEqual(['extbinary']);
    expect(complete('--format', '=', 'ext')).toEqual(['extbinary']);
    expect(complete('--compat', '')).toEqual(['llvm-profgen']);
  });

  it('folders and files', () => {
    expect(complete('--binary-dir', 'm')).toEqual(['man']);
    expect(complete('--binary', 'man/')).toEqual(['man/autofdo-gen.1']);
    expect(complete('inspect', 'compl')).toEqual(['completions']);
  });

  it('nothing for a number', () => {
    expect(complete('--jobs', '')).toEqual([]);
  });
});

describe('other shells take their completions', () => {
  it.skipIf(!has('zsh'))('zsh', () => {
    const { status, stderr } = spawnSync('zsh', ['-n', join(folder, 'completions/_autofdo-gen')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it.skipIf(!has('fish'))('fish', () => {
    const script = `source ${join(folder, 'completions/autofdo-gen.fish')}; complete -C 'autofdo-gen --perfd'`;
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^--perfdata\tRecording/);
  });
});

it.skipIf(!has('groff'))('groff formats the man page without a warning', () => {
  const args = ['-man', '-ww', '-Tascii', '-P-cbou', join(folder, 'man/autofdo-gen.1')];
  const { stdout, stderr } = spawnSync('groff', args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toContain('autofdo-gen 1.2.3');
  expect(stdout).toMatch(/^ +--perfdata, --pd, --profile FILE$/m);
});

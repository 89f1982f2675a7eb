import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeShellFiles } from '../../packaging/shell/write.js';
import { temporaryFolder } from '../support/temporary.js';

const { path: folder } = temporaryFolder();
writeShellFiles(folder, '1.2.3');

const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

/** Returns bash's suggestions for the last of some words. */
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

  it('words that a flag takes, also after =', () => {
    expect(complete('--format', 'ext')).toEqual(['extbinary']);
    expect(complete('--format', '=', 'ext')).toEqual(['extbinary']);
    expect(complete('--compat', '')).toEqual(['llvm-profgen']);
    expect(complete('--format', 'pre')).toEqual(['preaggregated']);
    expect(complete('merge', '--format', 'pre')).toEqual([]);
  });

  it('folders and files', () => {
    expect(complete('--binary-dir', 'm')).toEqual(['man']);
    expect(complete('--binary', 'man/')).toEqual(['man/autofdo-gen.1']);
    expect(complete('inspect', 'compl')).toEqual(['completions']);
  });

  it('no words for a number', () => {
    expect(complete('--jobs', '')).toEqual([]);
  });
});

describe('the completions are accepted by', () => {
  it.skipIf(!has('zsh'))(
    'zsh',
    () => {
      // The script starts an interactive zsh in a terminal of its own. Reading waits until the output matches the
      // pattern.
      const script = `
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "fpath=('$0' \\$fpath); autoload -U compinit; compinit -u -D; setopt no_beep; print rea''dy"
      zpty -r shell output '*ready*'
      while (( $# )); do
        zpty -w -n shell "autofdo-gen $1"$'\t'
        zpty -r shell output "*autofdo-gen $2*" && print -r -- $2
        zpty -w -n shell $'\\C-u'
        shift 2
      done`;
      const wanted = {
        do: 'doctor ',
        '--perfd': '--perfdata=',
        '--format pre': '--format preaggregated ',
        'overlap --thr': 'overlap --threshold=',
      };
      const { stdout, stderr } = spawnSync(
        'zsh',
        ['-f', '-c', script, join(folder, 'completions'), ...Object.entries(wanted).flat()],
        {
          encoding: 'utf8',
          env: { ...process.env, TERM: 'dumb' },
          timeout: 60_000,
        },
      );
      expect(stderr).toBe('');
      expect(stdout.split('\n').slice(0, -1)).toEqual(Object.values(wanted));
    },
    70_000,
  );

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

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/flags.js';
import type { Flag } from '../../src/options/flag.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { hasLlvmProfdata, llvmProfdata } from '../support/llvm-profdata.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const cwd = temporary.path;
const calc = fixturePath(fixture('calc-x86_64'), 'expected.afdo');
const dwarf4 = fixturePath(fixture('calc-dwarf4'), 'expected.afdo');
const run = (args: string[]) => runCli(args, { cwd });
temporary.write('a.prof', 'a:3:1\n 1: 3\nb:2:1\n 1: c:2\n  1: 2\n');
temporary.write('b.prof', 'a:5:1\n 1: 5\n');
temporary.write('list', '# more\n\n2,b.prof\na.prof\n');

/** Flags that belong to LLVM's option parser. */
const GENERIC = /^(help-hidden|help-list|help-list-hidden|print-options|print-all-options)$/;

/** Returns the names of all flags that `--help-hidden` of a command lists. */
function llvmFlags(command: string): string[] {
  const help = llvmProfdata(command, '--help-hidden');
  const names = [...help.matchAll(/^ +--?([a-z0-9][\w-]*)/gim)].map(([, name = '']) => name);
  return names.filter((name) => !GENERIC.test(name));
}

describe.skipIf(!hasLlvmProfdata)('every flag of llvm-profdata-22 is known', () => {
  it.each<[string, readonly Flag[]]>([
    ['merge', COMMANDS.merge.flags],
    ['show', COMMANDS.show.flags],
    ['overlap', COMMANDS.overlap.flags],
  ])('of %s', (command, flags) => {
    const known = new Set(flags.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
    const all = llvmFlags(command);
    expect(all).toEqual(expect.arrayContaining(['sample', 'instr', 'function', 'output']));
    expect(all.filter((name) => !known.has(name))).toEqual([]);
    const page = readFileSync(fileURLToPath(new URL('../../docs/profile-tools.md', import.meta.url)), 'utf8');
    const [, section = ''] = page.split(`\n## ${command}\n`);
    const [table = ''] = section.split('\n## ');
    const listed = new Set([...table.matchAll(/`--?([a-z][\w-]*)/g)].map(([, name]) => name));
    const everywhere = ['sample', 'help', 'h', 'output', 'input-files'];
    expect(all.filter((name) => !listed.has(name) && !everywhere.includes(name))).toEqual([]);
  });

  /** Returns a value for the flag, if the flag takes a value. */
  const sample = ({ name, kind }: Flag) => {
    if (kind === 'boolean') return `--${name}`;
    return `--${name}=${name === 'memprof-version' ? '3' : '1'}`;
  };

  it('and a flag without an effect here has none in llvm-profdata either', async () => {
    const ignoredBy = (flags: readonly Flag[]) =>
      flags.filter(({ effect, name }) => effect === 'ignore' && name !== 'sample').map(sample);
    const merged = llvmProfdata('merge', '--sample', '--text', join(cwd, 'a.prof'), '-o', '-');
    for (const flag of ignoredBy(COMMANDS.merge.flags)) {
      expect(llvmProfdata('merge', '--sample', '--text', flag, join(cwd, 'a.prof'), '-o', '-'), flag).toBe(
        merged,
      );
    }
    const shown = llvmProfdata('show', '--sample', calc);
    for (const flag of ignoredBy(COMMANDS.show.flags)) {
      expect(llvmProfdata('show', '--sample', flag, calc), flag).toBe(shown);
    }
    const compared = llvmProfdata('overlap', '--sample', calc, dwarf4);
    for (const flag of ignoredBy(COMMANDS.overlap.flags)) {
      expect(llvmProfdata('overlap', '--sample', flag, calc, dwarf4), flag).toBe(compared);
    }
    const ours = await run([
      'merge',
      ...ignoredBy(COMMANDS.merge.flags),
      'a.prof',
      '--text',
      '-q',
      '-o',
      '-',
    ]);
    expect(ours.stdout.toString()).toBe(merged);
  });

  it.each<[string[]]>([[[]], [['--use-md5']]])('--split-layout, byte for byte, %j', async (flags) => {
    const theirs = join(cwd, 'theirs.afdo');
    llvmProfdata('merge', '--sample', '--extbinary', '--split-layout', ...flags, calc, '-o', theirs);
    const { status } = await run(['merge', '--split-layout', ...flags, calc, '-o', 'ours.afdo']);
    expect(status).toBe(0);
    expect(readFileSync(join(cwd, 'ours.afdo')).equals(readFileSync(theirs))).toBe(true);
  });

  it('--dump-input-file-list', async () => {
    const args = ['--dump-input-file-list', 'a.prof', '--weighted-input=3,b.prof', '--input-files=list'];
    const theirs = spawnSync('llvm-profdata-22', ['merge', '--sample', ...args], { cwd, encoding: 'utf8' });
    const { status, stdout } = await run(['merge', ...args]);
    expect(stdout.toString()).toBe(theirs.stdout);
    expect(status).toBe(0);
  });

  it.each<[string[]]>([
    [['--show-format=text']],
    [['--all-functions']],
    [['--show-format=json']],
    [['--function=main']],
    [['--show-sec-info-only']],
    [['--all-functions', '--detailed-summary', '--hot-func-list']],
    [['--all-functions', '--hot-func-list', '--topn=3']],
    [['--all-functions', '--topn=3']],
    [['--all-functions', '--hot-func-list', '--topn=0']],
    [['--function=main', '--topn=1']],
    [['--function=main', '--counts', '--detailed-summary', '--detailed-summary-cutoffs=800000,1000']],
  ])('show %j, to a file, too', async (flags) => {
    const expected = llvmProfdata('show', '--sample', ...flags, calc);
    expect((await run(['show', ...flags, calc])).stdout.toString()).toBe(expected);
    const { status, stdout } = await run(['show', ...flags, calc, '-o', 'shown']);
    expect([status, stdout.toString()]).toEqual([0, '']);
    expect(readFileSync(join(cwd, 'shown'), 'utf8')).toBe(expected);
  });

  it.each<[string[]]>([[['folder']], [['a.prof', '--weighted-input=2,folder']], [['--input-files=folders']]])(
    'merge of all files below a folder, %j',
    async (args) => {
      mkdirSync(join(cwd, 'folder', 'below'), { recursive: true });
      temporary.write('folder/c.prof', 'c:7:1\n 1: 7\n');
      temporary.write('folder/below/.d.prof', 'd:8:1\n 1: 8\n');
      temporary.write('folders', '3,folder\na.prof\n');
      const theirs = spawnSync('llvm-profdata-22', ['merge', '--sample', '--text', ...args], {
        cwd,
        encoding: 'utf8',
      });
      expect(theirs.stdout).toMatch(/^d:.*^c:/ms);
      const { stdout } = await run(['merge', '--text', ...args, '-q', '-o', '-']);
      expect(stdout.toString()).toBe(theirs.stdout);
    },
  );

  it('overlap to a file', async () => {
    const expected = llvmProfdata('overlap', '--sample', calc, dwarf4);
    const { status } = await run(['overlap', calc, dwarf4, '--topn=0', '-o', 'compared']);
    expect(status).toBe(0);
    expect(readFileSync(join(cwd, 'compared'), 'utf8')).toBe(expected);
  });
});

describe('flags of show and overlap', () => {
  it.each<[string[], RegExp]>([
    [['merge', '-r', 'map', 'a.prof', '-o', 'x'], /--remapping-file is not supported\n.*llvm-profdata merge/],
    [['show', '--show-format=yaml', 'a.prof'], /yaml is not for sample profiles\n.*--show-format=json/],
    [['show', '--show-format=json', '--function=a', 'a.prof'], /is for all functions\n.*--json/],
    [['show', '--show-format=json', '--json', 'a.prof'], /print different JSON/],
    [['show', 'a.prof', '-o', 'a.prof'], /a\.prof is an input; the result would overwrite it/],
    [['overlap', 'a.prof', 'b.prof', '-o', 'b.prof'], /b\.prof is an input; the result would overwrite it/],
  ])('%j is wrong usage', async (args, message) => {
    const { status, stderr } = await run(args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
    expect(readFileSync(join(cwd, 'a.prof'), 'utf8')).toMatch(/^a:3:1/);
  });

  it('report that a text has no sections', async () => {
    const { status, stdout, stderr } = await run(['show', '--show-sec-info-only', 'a.prof']);
    expect([status, stdout.toString()]).toEqual([0, '']);
    expect(stderr).toMatch(/only profiles in the extbinary format have sections/);
  });

  it('find a function by the number that stands for its name', async () => {
    await run(['convert', calc, '--use-md5', '-q', '-o', 'md5.afdo']);
    const listed = (await run(['show', 'md5.afdo'])).stdout.toString();
    const number = /% {2}(\d{10,}) /.exec(listed)?.[1] ?? '';
    const by = async (file: string, name: string, ...flags: string[]) =>
      (await run(['show', file, '--function', name, ...flags])).stdout.toString();
    expect(await by('md5.afdo', number)).toMatch(new RegExp(`^Function: ${number}: `));
    expect(await by('md5.afdo', number)).toBe(await by('md5.afdo', 'expression'));
    expect(await by(calc, number)).toMatch(/^Function: expression: /);
    expect(JSON.parse(await by('md5.afdo', number, '--json')).functions).toMatchObject([{ name: number }]);
  });
});

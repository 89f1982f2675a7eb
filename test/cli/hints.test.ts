import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { COMMANDS, type CommandName } from '../../src/cli/flags.js';
import { fixture } from '../support/fixtures.js';
import { PerfDataBuilder } from '../support/perf-data-builder.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const profile = join(calc.binary, '..', 'expected.afdo');

const names = (command: CommandName) =>
  new Set(COMMANDS[command].flags.flatMap(({ name, aliases = [] }) => [name, ...aliases]));
const everyFlag = new Set((Object.keys(COMMANDS) as CommandName[]).flatMap((command) => [...names(command)]));

/** The flags in a text that a command does not take. Commands in backquotes have flags of their own. */
function unknownFlags(text: string, command: CommandName | undefined): string[] {
  const flags = (part: string) =>
    [...part.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map(([, name = '']) => name);
  const known = command === undefined ? everyFlag : names(command);
  const unknown = (part: string, of: ReadonlySet<string>) =>
    flags(part).filter((name) => !of.has(name) && name !== 'help');
  const quoted = [...text.matchAll(/`([^`]*)`/g)].map(([, line = '']) => line);
  const ours = quoted.flatMap((line) => {
    const [, , named] = /(^|\| *)autofdo-gen +(\S*)/.exec(line) ?? [];
    if (named === undefined) return [];
    const of = Object.hasOwn(COMMANDS, named) ? (named as CommandName) : 'generate';
    return unknown(line.slice(line.indexOf('autofdo-gen')), names(of));
  });
  return [...ours, ...unknown(text.replace(/`[^`]*`/g, ''), known)];
}

/** Files that are not what a command expects. */
const files: Record<string, string> = {
  'a profile': profile,
  'a text profile': temporary.write('a.prof', 'main:9:1\n 1: 9\n'),
  'text with a bracket': temporary.write('b.prof', '[]:9:3\n'),
  'text with a long line offset': temporary.write('c.prof', 'main:9:1\n 70000: 9\n'),
  'a damaged text': temporary.write('d.prof', 'main:9:1\n 1: nine\n'),
  'an ELF file': calc.binary,
  'a recording': calc.perfData,
  'a gzip file': temporary.write('e.gz', gzipSync('main:9:1\n')),
  'an empty file': temporary.write('f', ''),
  'a cut recording': temporary.write('g.data', readFileSync(calc.perfData).subarray(0, 90)),
  'a recording without events': temporary.write('h.data', new PerfDataBuilder().file()),
  'a cut profile': temporary.write('i.afdo', readFileSync(profile).subarray(0, 300)),
  'a damaged shard': temporary.write('j.parquet', 'PAR1 and no more of it PAR1'),
  'a folder': join(temporary.path, 'folder'),
  'a missing file': join(temporary.path, 'missing'),
};
mkdirSync(join(temporary.path, 'folder'));

const uses: Record<CommandName, (file: string) => string[][]> = {
  generate: (file) => [
    ['--binary', calc.binary, '--perfdata', file],
    ['--binary', file, '--perfdata', calc.perfData],
    ['--binary', calc.binary, '--perfscript', file],
    ['--binary', calc.binary, '--traces', file],
    ['--binary', calc.binary, '--unsymbolized-profile', file],
    ['--binary', calc.binary, '--llvm-sample-profile', file],
  ],
  doctor: (file) => [
    ['--binary', file],
    ['--binary', calc.binary, '--perfdata', file],
  ],
  collect: (file) => [['--perfdata', file, '-o', 'x.parquet']],
  inspect: (file) => [[file]],
  merge: (file) => [[file, profile, '-o', 'x']],
  show: (file) => [[file]],
  overlap: (file) => [[file, profile]],
  convert: (file) => [[file, '-o', 'x']],
  report: (file) => [[file, '-o', 'x.html']],
};

describe('every hint names only flags that its command has', () => {
  for (const [what, file] of Object.entries(files)) {
    it(`of ${what}`, async () => {
      const runs = (Object.keys(uses) as CommandName[]).flatMap((command) =>
        uses[command](file).map(async (args) => {
          const all = command === 'generate' ? [...args, '-o', 'x'] : [command, ...args];
          const { stderr } = await runCli(all, { cwd: temporary.path });
          const hints = stderr.split('\n').filter((line) => line.startsWith('  hint: '));
          for (const hint of hints) {
            expect([command, hint, unknownFlags(hint, command)]).toEqual([command, hint, []]);
          }
          if (stderr.startsWith('error: ')) {
            expect(hints.length, `${all.join(' ')}\n${stderr}`).toBeGreaterThan(0);
          }
        }),
      );
      await Promise.all(runs);
    }, 60_000);
  }
});

it('a hint tells what is wrong with this file', async () => {
  const hint = async (...args: string[]) => (await runCli(args, { cwd: temporary.path })).stderr;
  expect(await hint('inspect', profile)).toMatch(/finished sample profile\n.*`autofdo-gen show FILE`/);
  expect(await hint('show', 'b.prof')).toMatch(/a name in brackets is a calling context/);
  expect(await hint('show', 'c.prof')).toMatch(/line offset 70000 exceeds 65535\n/);
  expect(await hint('show', 'd.prof')).toMatch(/Correct the line/);
  expect(await hint('convert', 'd.prof', '-o', 'x')).not.toMatch(/--keep-going/);
  expect(await hint('merge', 'd.prof', profile, '-o', 'x')).toMatch(/--keep-going/);
  expect(await hint('--binary', 'a', '--perfdata', 'b', '--cpu', '7-3')).toMatch(/hint: .*write 3-7/);
});

it('the sources name no flag that no command has', () => {
  const crates = fileURLToPath(new URL('../../native/crates', import.meta.url));
  const sources = readdirSync(crates, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /^\w+\/src\/.*\.rs$/.test(file),
  );
  expect(sources.length).toBeGreaterThan(100);
  const strange = sources.flatMap((file) => {
    const [code = ''] = readFileSync(join(crates, file), 'utf8').split('#[cfg(test)]');
    const strings = code.replace(/^\s*\/\/.*$/gm, '').match(/"(?:[^"\\]|\\[\s\S])*"/g) ?? [];
    return strings
      .map((text) => text.replaceAll(/\\\n\s*/g, ''))
      .flatMap((text) => unknownFlags(text, undefined).map((flag) => `${file}: --${flag}: ${text}`));
  });
  expect(strange).toEqual([]);
});

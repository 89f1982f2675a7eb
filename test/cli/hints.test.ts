import { describe, expect, it } from 'vitest';
import { COMMANDS, type CommandName } from '../../src/cli/flags.js';
import { fixture } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';
import { unexpectedFiles } from '../support/unexpected-files.js';

const temporary = temporaryFolder();
const calc = fixture('calc-x86_64');
const { files, profile } = unexpectedFiles(temporary);

const names = (command: CommandName) =>
  new Set(COMMANDS[command].flags.flatMap(({ name, aliases = [] }) => [name, ...aliases]));

/** Returns the flags in a text that a command does not have. Commands in backquotes have flags of their own. */
function unknownFlags(text: string, command: CommandName): string[] {
  const flags = (part: string) =>
    [...part.matchAll(/(?<![\w-])--([a-z][a-z0-9-]*)/g)].map(([, name = '']) => name);
  const unknown = (part: string, of: ReadonlySet<string>) =>
    flags(part).filter((name) => !of.has(name) && name !== 'help');
  const quoted = [...text.matchAll(/`([^`]*)`/g)].map(([, line = '']) => line);
  const ours = quoted.flatMap((line) => {
    const [, , named] = /(^|\| *)autofdo-gen +(\S*)/.exec(line) ?? [];
    if (named === undefined) return [];
    const of = Object.hasOwn(COMMANDS, named) ? (named as CommandName) : 'generate';
    return unknown(line.slice(line.indexOf('autofdo-gen')), names(of));
  });
  return [...ours, ...unknown(text.replace(/`[^`]*`/g, ''), names(command))];
}

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

describe('a hint names only flags of its command', () => {
  for (const [what, file] of Object.entries(files)) {
    it(`for ${what}`, async () => {
      const runs = (Object.keys(uses) as CommandName[]).flatMap((command) =>
        uses[command](file).map(async (args) => {
          const all = command === 'generate' ? [...args, '-o', 'x'] : [command, ...args];
          const { stderr } = await runCli(all, { cwd: temporary.path });
          const hints = stderr.split('\n').filter((line) => line.startsWith('  hint: '));
          for (const hint of hints) {
            expect([command, hint, unknownFlags(hint, command)]).toEqual([command, hint, []]);
            expect(hint, 'options have the names of flags').not.toMatch(/`[a-z]+[A-Z]\w*`/);
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

it('a hint names the fault of this file', async () => {
  const hint = async (...args: string[]) => (await runCli(args, { cwd: temporary.path })).stderr;
  expect(await hint('inspect', profile)).toMatch(/finished sample profile\n.*`autofdo-gen show FILE`/);
  expect(await hint('show', 'b.prof')).toMatch(/a name in brackets is a calling context/);
  expect(await hint('show', 'c.prof')).toMatch(/line offset 70000 exceeds 65535\n/);
  expect(await hint('show', 'd.prof')).toMatch(/Correct the line/);
  expect(await hint('convert', 'd.prof', '-o', 'x')).not.toMatch(/--keep-going/);
  expect(await hint('merge', 'd.prof', profile, '-o', 'x')).toMatch(/--keep-going/);
  expect(await hint('--binary', 'a', '--perfdata', 'b', '--cpu', '7-3')).toMatch(/hint: .*write 3-7/);
  const { binary, perfData } = calc;
  expect(await hint('--binary', binary, '-i', perfData)).toMatch(
    /unknown flag -i\n.*did you mean --perfdata\?/,
  );
  expect(await hint('--binary', binary, '--input', perfData)).toMatch(/did you mean --perfdata\?/);
  expect(await hint('merge', '-w', '2,a.prof', '-o', 'x')).toMatch(
    /unknown flag -w\n {2}hint: See --help\.\n/,
  );
  expect(await hint('--binary', binary, '--perfdata', perfData, '--profiler', 'text')).toMatch(
    /hint: It can only be perf\.\n/,
  );
  for (const what of ['a recording', 'an ELF file'] as const) {
    expect(await hint('report', files[what] ?? '')).toMatch(
      /^error: .*: an? (perf\.data|ELF) file, not a sample profile\n/,
    );
  }
  expect(await hint('report', calc.perfData)).toMatch(/hint: .*`autofdo-gen --binary FILE --perfdata FILE`/);
  expect(await hint('merge', '-', '-', '-o', 'x')).toMatch(/standard input is named more than once/);
  expect(await hint('overlap', '-', '-')).toMatch(/standard input is named more than once/);
  expect(await hint('show', 'folder')).toMatch(/folder: is a directory\n {2}hint: Name a file\.\n/);
  expect(await hint('--binary', binary, '--perfdata', 'folder')).toMatch(
    /hint: Name the file, or the folder of/,
  );
  for (const command of [['--perfdata', perfData], []]) {
    const asked = command.length === 0 ? ['doctor'] : [];
    expect(await hint(...asked, '--binary', 'l.debug', ...command)).toMatch(
      /l\.debug: is a debug file, which has no code, .*\n.*with --binary, and this file with --debug-binary/,
    );
  }
  for (const input of ['--perfdata', '--perfscript', '--traces']) {
    expect(await hint('report', input, perfData)).toMatch(
      /no binary was given\n {2}hint: .* --binary FILE\.\n/,
    );
  }
  const cut = await hint('--binary', binary, '--perfdata', 'k.data');
  expect(cut).toMatch(
    /the recording has no mapping of .*\n.*\(k\.data: cut off at offset 0x[0-9a-f]+: .*Copy the file again/,
  );
});

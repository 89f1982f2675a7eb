import { describe, expect, it } from 'vitest';
import { COMMANDS, type Command, type CommandName } from '../../src/cli/flags.js';
import { commandHelp, fullHelp } from '../../src/cli/help.js';
import { runCli } from '../support/run-cli.js';

const NAMES = Object.keys(COMMANDS) as CommandName[];

describe('the help', () => {
  const help = commandHelp('generate');

  it.each(NAMES)('of %s in full names every flag with an effect, and no other', (command) => {
    const full = fullHelp(command);
    for (const { name, effect } of COMMANDS[command].flags) {
      const shown = new RegExp(`^ {2}(--?[\\w-]+, )*--${name}\\b(?!-)`, 'm').test(full);
      expect(shown, name).toBe(effect === 'set');
    }
  });

  it.each(NAMES)('of %s fits on a screen', (command) => {
    const lines = commandHelp(command).trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
  });

  it.each(NAMES)('of %s has only main flags that exist', (command) => {
    const { main = [], flags }: Command = COMMANDS[command];
    const known = flags.map(({ name }) => name);
    for (const name of main) expect(known).toContain(name);
  });

  it('has a part for each topic, of the program and of a command', async () => {
    const topic = await runCli(['help', 'checks']);
    expect(topic.stdout.toString()).toMatch(/^Checks:\n {2}--max-loss PERCENT/);
    const ofCommand = await runCli(['help', 'report', 'input']);
    expect(ofCommand.stdout.toString()).toContain('--source-dir DIR');
    const unknown = await runCli(['help', 'report', 'contexts']);
    expect(unknown).toMatchObject({ status: 2 });
    expect(unknown.stderr).toContain("report has no group of flags 'contexts'");
    const all = await runCli(['merge', '--help-all']);
    expect(all.stdout.toString()).toBe(fullHelp('merge'));
  });

  it('starts with the command that a new user needs', () => {
    expect(help).toMatch(/autofdo-gen --binary \S+ --perfdata perf\.data/);
    expect(help).toContain('perf record -b');
  });
});

import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/flags.js';
import { commandHelp } from '../../src/cli/help.js';

describe('help', () => {
  const help = commandHelp('generate');

  it('names every flag that does something, and no other', () => {
    for (const { name, effect } of COMMANDS.generate.flags) {
      const shown = new RegExp(`--${name}\\b(?!-)`).test(help);
      expect(shown, name).toBe(effect === 'set');
    }
  });

  it('starts with what a new user types', () => {
    expect(help).toMatch(/autofdo-gen --binary \S+ --perfdata perf\.data/);
    expect(help).toContain('perf record -b');
  });

  it('fits a terminal', () => {
    for (const line of [...help.split('\n'), ...commandHelp('inspect').split('\n')])
      expect(line.length).toBeLessThanOrEqual(100);
  });
});

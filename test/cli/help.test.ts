import { describe, expect, it } from 'vitest';
import { GENERATE_FLAGS } from '../../src/cli/flags.js';
import { generateHelp, inspectHelp } from '../../src/cli/help.js';

describe('help', () => {
  const help = generateHelp();

  it('names every flag that does something, and no other', () => {
    for (const { name, effect } of GENERATE_FLAGS) {
      const shown = new RegExp(`--${name}\\b(?!-)`).test(help);
      expect(shown, name).toBe(effect === 'set');
    }
  });

  it('starts with what a new user types', () => {
    expect(help).toMatch(/autofdo-gen --binary \S+ --perfdata perf\.data/);
    expect(help).toContain('perf record -b');
  });

  it('fits a terminal', () => {
    for (const line of [...help.split('\n'), ...inspectHelp().split('\n')])
      expect(line.length).toBeLessThanOrEqual(100);
  });
});

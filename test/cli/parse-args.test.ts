import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/flags.js';
import { parseFlags } from '../../src/cli/parse-args.js';

const GENERATE_FLAGS = COMMANDS.generate.flags;

function values(...args: string[]): Record<string, unknown> {
  return Object.fromEntries(parseFlags(args, GENERATE_FLAGS).values);
}

function usageError(...args: string[]): { message: string; hint: string | undefined } {
  try {
    parseFlags(args, GENERATE_FLAGS);
  } catch (error) {
    const { message, hint } = error as { message: string; hint: string | undefined };
    return { message, hint };
  }
  throw new Error(`${args.join(' ')} was accepted`);
}

describe("the parser reads llvm-profgen's spelling", () => {
  it.each([
    [['--binary=a', '--perfdata=p', '-o', 'out']],
    [['-binary=a', '-perfdata=p', '-o=out']],
    [['--binary', 'a', '--pd', 'p', '--output', 'out']],
    [['-binary', 'a', '-pd', 'p', '-output', 'out']],
  ])('%j', (args) => {
    expect(values(...args)).toEqual({ binary: ['a'], perfdata: ['p'], output: 'out' });
  });

  it.each([
    ['--kernel', true],
    ['-kernel', true],
    ['--kernel=1', true],
    ['--kernel=true', true],
    ['-kernel=TRUE', true],
    ['--kernel=0', false],
    ['--kernel=false', false],
  ])('%s', (arg, expected) => {
    expect(values(arg)).toEqual({ kernel: expected });
  });

  it('turns off a boolean flag with --no-', () => {
    expect(values('--no-debuginfod', '-no-kernel')).toEqual({ debuginfod: false, kernel: false });
    expect(values('--no-kernel', '--kernel')).toEqual({ kernel: true });
    for (const arg of ['--no-perfdata', '--no-kernel=1', '--no-nothing', '--no-']) {
      expect(usageError(arg).message).toMatch(/^unknown flag --no-/);
    }
  });

  it('takes - and negative numbers as values', () => {
    expect(values('-o', '-', '--perfdata', '-', '--pid', '-1')).toEqual({
      output: '-',
      perfdata: ['-'],
      pid: [-1],
    });
    const growth = '--sample-profile-inline-growth-limit';
    expect(values(growth, '-12')).toEqual({ 'sample-profile-inline-growth-limit': -12 });
  });

  it('uses the last value, except for lists', () => {
    expect(values('--format=text', '--format=binary')).toEqual({ format: 'binary' });
    expect(values('--perfdata=a', '--perfdata=b', '--pid=1,2', '--pid=3')).toEqual({
      perfdata: ['a', 'b'],
      pid: [1, 2, 3],
    });
  });
});

describe('the parser reads values:', () => {
  it.each([
    [['--cpu', '0,2,4-7'], { cpu: [0, 2, 4, 5, 6, 7] }],
    [['--max-loss', '2.5'], { 'max-loss': 2.5 }],
    [['--max-loss', '5%'], { 'max-loss': 5 }],
    [['--max-loss=5 %'], { 'max-loss': 5 }],
    [['--sample-period', '18446744073709551615'], { 'sample-period': 2n ** 64n - 1n }],
    [['--jobs=3'], { jobs: 3 }],
    [['-j', '3'], { jobs: 3 }],
    [['--time', '12.5,13'], { time: [12_500_000_000n, 13_000_000_000n] }],
    [['--time', ',0.000000001'], { time: [0n, 1n] }],
    [['--time', '7,'], { time: [7_000_000_000n, 2n ** 64n - 1n] }],
  ])('%j', (args, expected) => {
    expect(values(...args)).toEqual(expected);
  });

  it.each([
    [['--kernel=maybe'], /--kernel is 'maybe'/],
    [['--format=gcc'], /--format is 'gcc'/],
    [['--jobs=two'], /--jobs is 'two'/],
    [['--jobs=-1'], /--jobs is '-1'/],
    [['--max-loss=1e3'], /--max-loss is '1e3'/],
    [['--max-loss=101%'], /--max-loss is 101/],
    [['--profile-summary-cutoff-cold=1000001'], /--profile-summary-cutoff-cold is 1000001/],
    [['--sample-period=18446744073709551616'], /--sample-period is 18446744073709551616/],
    [['--cpu=5-2'], /the range '5-2'/],
    [['--cpu=0-99999999'], /the range '0-99999999'/],
    [['--time=yesterday'], /--time is 'yesterday'/],
    [['--binary'], /--binary needs a value/],
    [['--binary='], /--binary needs a value/],
    [['--binary', '--perfdata', 'p'], /--binary needs a value/],
  ])('refuses %j', (args, message) => {
    expect(usageError(...args).message).toMatch(message);
  });
});

describe('for an unknown flag, the error asks', () => {
  it.each([
    ['--perfdta', '--perfdata'],
    ['-ouput', '--output'],
    ['--skip-symbolisation', '--skip-symbolization'],
    ['--use-mdf5', '--use-md5'],
  ])('%s: did you mean %s?', (given, meant) => {
    const { message, hint } = usageError(given);
    expect(message).toContain('unknown flag');
    expect(hint).toContain(`did you mean ${meant}?`);
  });

  it('nothing if no name is similar', () => {
    expect(usageError('--frobnicate').hint).toBe('See --help.');
  });
});

describe('for flags of llvm-profgen that are not options here, the parser', () => {
  it('accepts flags without an effect', () => {
    expect(values('--profile-symbol-list-cutoff=-1')).toEqual({ 'profile-symbol-list-cutoff': '-1' });
  });

  it('refuses flags that would change the profile, but not their default values', () => {
    expect(usageError('--data-access-perftrace', 'p')).toMatchObject({
      message: '--data-access-perftrace is not supported',
      hint: expect.stringContaining('data-access profiles'),
    });
    const vtables = 'extbinary-write-vtable-type-prof';
    expect(usageError(`--${vtables}`).message).toContain('not supported');
    expect(values(`--${vtables}=0`)).toEqual({ [vtables]: false });
  });
});

describe('the table of flags', () => {
  it('has each spelling once', () => {
    const names = GENERATE_FLAGS.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    expect(names.length).toBe(new Set(names).size);
  });

  it('describes every flag in one sentence', () => {
    for (const { name, doc, effect, kind, value } of GENERATE_FLAGS) {
      if (effect !== 'set') continue;
      expect(doc, name).toMatch(/^[A-Za-z].*\.$/);
      expect(value === undefined, name).toBe(kind === 'boolean');
    }
  });
});

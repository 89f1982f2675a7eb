import { describe, expect, it } from 'vitest';
import { convertProfile, generateProfile, mergeProfiles } from '../../src/index.js';
import { fixture, fixturePath } from '../support/fixtures.js';
import { runCli } from '../support/run-cli.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const MOST = '18446744073709551615';
const run = (args: string[]) => runCli(args, { cwd: temporary.path });

describe('counts that exceed 64 bits', () => {
  const a = temporary.write('a.txt', `a:${MOST}:1\n 1: ${MOST}\n 2: 5\n`);
  const b = temporary.write('b.txt', 'a:5:1\n 1: 1\n 2: 23\nb:2:1\n 1: 2\n');

  it('are reported when profiles are merged', async () => {
    const { diagnostics, bytes } = await mergeProfiles({ inputs: [a, b], format: 'text' });
    expect(Buffer.from(bytes ?? []).toString()).toBe(`a:${MOST}:2\n 1: ${MOST}\n 2: 28\nb:2:1\n 1: 2\n`);
    expect(diagnostics).toMatchObject([
      {
        code: 'counter-overflow',
        severity: 'warning',
        message: expect.stringMatching(/^counter overflow in a: /),
      },
      { code: 'total-overflow', message: expect.stringContaining('18446744073709551645') },
    ]);
  });

  it('are reported when a weight makes them', async () => {
    const { diagnostics } = await mergeProfiles({ inputs: [{ path: b, weight: 2n ** 63n }] });
    expect(diagnostics.map(({ message }) => message).join('\n')).toMatch(
      /^counter overflow in a: .*\ncounter overflow in b: .*\n.*add up/,
    );
    expect((await mergeProfiles({ inputs: [{ path: b, weight: 3 }] })).diagnostics).toEqual([]);
  });

  it('have a remedy that fits the command', async () => {
    const remedies = async (...args: string[]) => {
      const { stderr } = await run(args);
      return new Set(
        [...stderr.matchAll(/^warning: (?:counter overflow|the counts add up).*; (.*)$/gm)].map(
          ([, remedy]) => remedy,
        ),
      );
    };
    const divide = new Set(['divide all counts of the input by the same number']);
    const calc = fixture('calc-x86_64').binary;
    expect(await remedies('show', 'a.txt')).toEqual(divide);
    expect(await remedies('convert', 'a.txt', '-o', 'a.afdo')).toEqual(divide);
    expect(await remedies('merge', 'a.txt', 'b.txt', '-o', 'ab.afdo')).toEqual(divide);
    expect(await remedies('--binary', calc, '--llvm-sample-profile', 'a.txt', '-o', 'a.afdo')).toEqual(
      divide,
    );
    expect(await remedies('merge', `--weighted-input=${2n ** 63n},b.txt`, '-o', 'b.afdo')).toEqual(
      new Set(['merge with smaller weights']),
    );
  });

  it('do not wrap around in what is shown', async () => {
    const { stdout, stderr } = await run(['show', 'a.txt']);
    expect(stdout.toString()).toMatch(/together 18,446,744,073,709,551,620$/m);
    expect(stderr).toMatch(/warning: counter overflow in a: /);
  });

  it('lead to no similarity below 0, and to no threshold that was not given', async () => {
    const { status, stdout, stderr } = await run(['overlap', 'a.txt', 'b.txt']);
    expect(stdout.toString()).toMatch(/similarity: \d+\.\d+%\n/);
    expect([status, stderr]).toEqual([0, '']);
    expect((await run(['overlap', 'a.txt', 'b.txt', '--threshold=99'])).status).toBe(1);
  });
});

/** Writes a number as ULEB128. */
function uleb(value: bigint | number): number[] {
  const number = BigInt(value);
  return number < 0x80n ? [Number(number)] : [Number(number & 0x7fn) | 0x80, ...uleb(number >> 7n)];
}

/** Makes a raw binary profile of one function, whose name text cannot hold unchanged. */
function binaryProfile(name: string): Uint8Array {
  const magic = BigInt(`0x${Buffer.from('SPROF42').toString('hex')}ff`);
  const header = [...uleb(magic), ...uleb(103), 0, 0, 0, 0, 0, 0];
  const names = [1, ...Buffer.from(name), 0];
  const body = [/* head */ 3, /* name */ 0, /* total */ 9, 1, /* line 1 */ 1, 0, 9, 0, 0];
  return Uint8Array.from([...header, ...names, ...body]);
}

describe('names that the text form cannot hold', () => {
  const brackets = temporary.write('brackets.bin', binaryProfile('[]'));
  const plain = temporary.write('plain.bin', binaryProfile('main'));
  const message = expect.stringMatching(/'\[\]'.*extbinary format keeps every name/s);
  const warning = { code: 'name-not-for-text', severity: 'warning', message };

  it('are reported by convert and merge', async () => {
    const { diagnostics } = await convertProfile({ input: brackets, format: 'text' });
    expect(diagnostics).toMatchObject([warning]);
    expect((await mergeProfiles({ inputs: [brackets], format: 'text' })).diagnostics).toMatchObject([
      warning,
    ]);
    for (const format of ['extbinary', 'binary'] as const) {
      expect((await convertProfile({ input: brackets, format })).diagnostics).toEqual([]);
    }
    expect((await convertProfile({ input: plain, format: 'text' })).diagnostics).toEqual([]);
  });

  it('are reported by generate', async () => {
    const { binary } = fixture('calc-x86_64');
    const of = async (llvmSampleProfile: string) =>
      (await generateProfile({ binary, llvmSampleProfile, format: 'text' })).diagnostics.filter(
        ({ code }) => code === 'name-not-for-text',
      );
    expect(await of(brackets)).toMatchObject([warning]);
    expect(await of(plain)).toEqual([]);
  });
});

it('for a compact binary profile the error names the form and the way to convert it', async () => {
  const magic = uleb(BigInt(`0x${Buffer.from('SPROF42').toString('hex')}02`));
  temporary.write('compact.afdo', Uint8Array.from([...magic, 103, 0, 0]));
  const { status, stderr } = await run(['show', 'compact.afdo']);
  expect(stderr).toMatch(/a sample profile in LLVM's compact binary encoding, which LLVM 17 dropped\n/);
  expect(stderr).toMatch(/hint: .*llvm-profdata-16 merge --sample --extbinary/);
  expect(stderr).not.toContain('not a sample profile');
  expect(status).toBe(1);
});

it('no overflow is reported for counts without overflow', async () => {
  const input = fixturePath(fixture('calc-x86_64'), 'expected.prof');
  expect((await mergeProfiles({ inputs: [{ path: input, weight: 1000 }] })).diagnostics).toEqual([]);
});

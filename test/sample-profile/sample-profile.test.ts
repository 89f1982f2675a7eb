import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertProfile, describeProfile, mergeProfiles, parseProfile } from '../../src/index.js';
import { ByteReader } from '../../src/sample-profile/byte-reader.js';
import type { FunctionSamples, SampleProfile } from '../../src/sample-profile/types.js';
import { allFixtures, fixture, fixturePath } from '../support/fixtures.js';
import { profileText } from '../support/profile-text.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();

/**
 * Returns functions without checksums and attributes, which the text of some versions lacks. A bigint becomes its
 * digits, so that it can be compared.
 */
function plain(functions: FunctionSamples[]): unknown {
  return JSON.parse(
    JSON.stringify(functions, (_, value) => (typeof value === 'bigint' ? value.toString() : value)),
  );
}

describe.each(allFixtures())('the profiles of $name', (fixture) => {
  const read = (name: string): SampleProfile => parseProfile(readFileSync(fixturePath(fixture, name)));

  it('are the same functions as text and as extbinary', () => {
    const text = read('expected.prof');
    const extbinary = read('expected.afdo');
    expect([text.format, extbinary.format]).toEqual(['text', 'extbinary']);
    expect(text.functions.length).toBeGreaterThan(0);
    expect(plain(extbinary.functions)).toEqual(plain(text.functions));
  });

  it('are written again unchanged', () => {
    const text = readFileSync(fixturePath(fixture, 'expected.prof'), 'utf8');
    expect(profileText(read('expected.prof').functions)).toBe(text);
    expect(profileText(read('expected.afdo').functions)).toBe(text);
  });

  it('agree with the summary', () => {
    const { summary, functions } = read('expected.afdo');
    const counts: bigint[] = [];
    const collect = ({ body, inlined }: FunctionSamples) => {
      counts.push(...body.map(({ count }) => count));
      for (const { samples } of inlined) collect(samples);
    };
    functions.forEach(collect);
    expect(summary?.totalCount).toBe(counts.reduce((sum, count) => sum + count, 0n));
    expect(summary?.functions).toBe(functions.length);
    expect(summary?.counts).toBe(counts.length);
    expect(summary?.entries).toHaveLength(16);
  });
});

describe('the text form', () => {
  it('may have names with colons and blanks', () => {
    const [main] = parseProfile(
      Buffer.from('a::b<int, c>:10:2\n 1: 7 std::f(int, long):4 g:3\n 2.5: h::i<1, 2>:3\n  1: 3\n'),
    ).functions;
    expect(main?.name).toBe('a::b<int, c>');
    expect(main?.body[0]?.targets.map(({ name, count }) => [name, Number(count)])).toEqual([
      ['std::f(int, long)', 4],
      ['g', 3],
    ]);
    expect(main?.inlined[0]).toMatchObject({ line: 2, discriminator: 5, samples: { name: 'h::i<1, 2>' } });
  });

  it.each([
    ['no counts', 'main\n', /line 1/],
    ['a count of more than 64 bits', 'main:18446744073709551616:0\n', /more than 64 bits at line 1/],
    ['a level left out', 'main:1:1\n   1: 1\n', /line 2/],
    ['a body before any function', ' 1: 1\n', /line 1/],
    ['a target without a count', 'main:1:1\n 1: 1 foo\n', /'foo' in place of|' foo' in place of/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseProfile(Buffer.from(text))).toThrow(message);
  });

  it('adds up repeated lines and functions, in the order of locations', () => {
    const text =
      'f:10:1\n 2: 3 b:1\n 1: 7 a:1\n 1: 2 b:5 a:1\ng:1:1\nf:5:2\n 3: h:7\n  1: 7\n 3: h:2\n  1: 2\n  0: 1\n';
    const { functions } = parseProfile(Buffer.from(text));
    const f = 'f:15:3\n 1: 9 b:5 a:2\n 2: 3 b:1\n 3: h:9\n  0: 1\n  1: 9\n';
    expect(profileText(functions)).toBe(`${f}g:1:1\n`);
    const full = 'f:18446744073709551615:0\nf:1:0\n';
    expect(profileText(parseProfile(Buffer.from(full)).functions)).toBe('f:18446744073709551615:0\n');
  });

  it('may have line ends of Windows, and names with any character', () => {
    const names = ['a\u2028b\u2029c', '\ufefff', 'x\rz', '\u00a0'];
    const text = names
      .map((name) => `${name}:9:1\r\n 1: 5 ${name}:5\r\n 2: ${name}:4\r\n  1: 4\r\n`)
      .join('');
    const { functions } = parseProfile(Buffer.from(text));
    expect(functions.map(({ name }) => name)).toEqual(names);
    expect(profileText(functions)).toBe(text.replaceAll('\r\n', '\n'));
  });

  it.each([
    [1024, undefined],
    [1025, 'inlining nested deeper than 1024 levels'],
  ])('with %d levels of inlined functions is read or refused as by the core', async (levels, message) => {
    const inlined = Array.from({ length: levels }, (_, index) => `${' '.repeat(index + 1)}1: f:5\n`);
    const text = Buffer.from(`main:5:1\n${inlined.join('')}${' '.repeat(levels + 1)}1: 5\n`);
    const path = temporary.write(`${levels}.prof`, text);
    if (message === undefined) {
      const { bytes = new Uint8Array() } = await convertProfile({ input: path, format: 'extbinary' });
      expect(plain(parseProfile(bytes).functions)).toEqual(plain(parseProfile(text).functions));
    } else {
      expect(() => parseProfile(text)).toThrow(message);
      await expect(describeProfile({ path })).rejects.toThrow(message);
    }
  });

  it('keeps all 64 bits of counts', () => {
    const [main] = parseProfile(Buffer.from('main:18446744073709551615:9007199254740993\n')).functions;
    expect(main?.total).toBe(18446744073709551615n);
    expect(main?.head).toBe(9007199254740993n);
  });
});

describe('the sections of the extbinary form', () => {
  const calc = fixturePath(fixture('calc-x86_64'), 'expected.afdo');
  const sorted = ({ functions }: SampleProfile) =>
    plain(functions.toSorted((a, b) => (a.name < b.name ? -1 : 1)));

  it('may hold a function twice, with inlined code and without', async () => {
    const { bytes = Buffer.alloc(0) } = await mergeProfiles({ inputs: [calc], splitLayout: true });
    expect(sorted(parseProfile(bytes))).toEqual(sorted(parseProfile(readFileSync(calc))));
  });

  /** The type and the flags are the first fields of a row. */
  const flagsOf = (file: Buffer, type: number) => {
    const rows = Array.from({ length: 7 }, (_, index) => 18 + index * 32);
    return (rows.find((row) => file.readBigUInt64LE(row) === BigInt(type)) ?? 0) + 8;
  };

  it.each([
    ['ProfileSummarySection', 1, 35n],
    ['NameTableSection', 2, 35n],
    ['ProfileSymbolListSection', 3, 32n],
    ['FuncOffsetTableSection', 4, 33n],
    ['FunctionMetadata', 5, 34n],
    ['LBRProfileSection', 32, 2n],
  ])('are refused if %s has flags that LLVM 22 does not define', async (name, type, bit) => {
    const file = Buffer.from(readFileSync(calc));
    const at = flagsOf(file, type);
    file.writeBigUInt64LE(file.readBigUInt64LE(at) | (1n << bit), at);
    const message = `${name} has the flags 0x${(1n << bit).toString(16)}, which LLVM 22 does not define`;
    expect(() => parseProfile(file)).toThrow(message);
    const path = temporary.write('flags.afdo', file);
    await expect(describeProfile({ path })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
      hint: expect.stringContaining('llvm-profdata of that release'),
    });
  });

  it.each([102, 104, 105])('are refused in version %d', async (version) => {
    const file = Buffer.from(readFileSync(calc));
    file[file.indexOf(103)] = version;
    const message = `version ${version} of the format; only 103 is known`;
    expect(() => parseProfile(file)).toThrow(message);
    const path = temporary.write('version.afdo', file);
    await expect(describeProfile({ path })).rejects.toThrow(message);
  });
});

describe('ULEB128', () => {
  /** Encodes a number by the definition, with bigint. This is slow, but obviously correct. */
  const encode = (value: bigint): number[] =>
    value < 0x80n ? [Number(value)] : [Number(value & 0x7fn) | 0x80, ...encode(value >> 7n)];

  it('is read as it was written, for every 64-bit value', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
        const reader = new ByteReader(Uint8Array.from(encode(value)));
        expect(reader.uleb()).toBe(value);
        expect(reader.atEnd).toBe(true);
      }),
    );
  });

  it.each([
    ['no end', [0x80, 0x80]],
    ['65 bits', [...encode(2n ** 64n)]],
    ['eleven bytes', [...Array(10).fill(0x80), 0]],
  ])('is refused with %s', (_, bytes) => {
    expect(() => new ByteReader(Uint8Array.from(bytes)).uleb()).toThrow(/not a valid sample profile/);
  });
});

describe('a damaged profile', () => {
  const [first] = allFixtures();
  const whole = first === undefined ? Buffer.alloc(0) : readFileSync(fixturePath(first, 'expected.afdo'));

  it('gives at worst an error with a code, wherever the file is cut or changed', () => {
    fc.assert(
      fc.property(
        fc.nat(whole.length),
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }),
        (length, changes) => {
          const bytes = Uint8Array.from(whole.subarray(0, length));
          for (const [at, value] of changes) if (at < length) bytes[at] = value;
          try {
            parseProfile(bytes);
          } catch (error) {
            expect(error).toMatchObject({ name: 'AutofdoError', code: /INPUT_INVALID|UNSUPPORTED/ });
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

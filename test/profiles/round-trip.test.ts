import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ConvertOptions, convertProfile, parseProfile, type SampleProfile } from '../../src/index.js';
import { nameHash } from '../../src/sample-profile/name-hash.js';
import { hasLlvmProfdata, llvmMerge } from '../support/llvm-profdata.js';
import { profileText } from '../support/profile-text.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();
const input = join(temporary.path, 'generated.prof');

interface Location {
  line: number;
  discriminator: number;
}

interface Generated {
  name: string;
  body: (Location & { count: bigint; targets: [string, bigint][] })[];
  inlined: (Location & { callee: Generated })[];
}

const name = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-zA-Z_.$][\w.$]{0,12}$/) },
  { weight: 1, arbitrary: fc.constantFrom('ünïcode→名', `_ZN${'1x'.repeat(2000)}E`, '_Z1fv.llvm.123') },
);
const count = fc.oneof(
  fc.bigInt(0n, 300n),
  fc.bigInt(2n ** 63n, 2n ** 64n - 1n),
  fc.bigInt(0n, 2n ** 64n - 1n),
);
const location = { line: fc.nat(65_535), discriminator: fc.oneof(fc.constant(0), fc.nat(2 ** 31)) };
/** Generates a function with at most `levels` levels of inlining. */
function callable(levels: number): fc.Arbitrary<Generated> {
  const target = fc.tuple(name, count);
  const inlined =
    levels === 0
      ? fc.constant<Generated['inlined']>([])
      : fc.array(fc.record({ ...location, callee: callable(levels - 1) }), { maxLength: 2 });
  return fc.record({
    name,
    body: fc.array(fc.record({ ...location, count, targets: fc.array(target, { maxLength: 3 }) }), {
      maxLength: 4,
    }),
    inlined,
  });
}
const functions = fc.uniqueArray(callable(3), { maxLength: 8, selector: ({ name }) => name });

/** Writes functions as text, in another order than encodings have. */
function textOf(all: readonly Generated[]): string {
  const lines: string[] = [];
  const at = ({ line, discriminator }: Location) =>
    discriminator === 0 ? `${line}` : `${line}.${discriminator}`;
  const content = ({ body, inlined }: Generated, indent: string) => {
    for (const { count, targets, ...where } of body) {
      lines.push(
        `${indent}${at(where)}: ${count}${targets.map(([to, calls]) => ` ${to}:${calls}`).join('')}`,
      );
    }
    for (const { callee, ...where } of inlined) {
      lines.push(`${indent}${at(where)}: ${callee.name}:7`);
      content(callee, `${indent} `);
    }
  };
  for (const [index, one] of all.entries()) {
    lines.push(`${one.name}:${index * 11}:${index}`);
    content(one, ' ');
  }
  return lines.map((line) => `${line}\n`).join('');
}

async function encoded(options: Omit<ConvertOptions, 'input'>): Promise<SampleProfile> {
  const { bytes } = await convertProfile({ input, ...options });
  return parseProfile(bytes ?? new Uint8Array());
}

it('every encoding is read as the same profile, and equals that of llvm-profdata-22 if it is installed', async () => {
  await fc.assert(
    fc.asyncProperty(functions, async (generated) => {
      fc.pre(generated.length > 0); // An empty file is not a text profile.
      temporary.write('generated.prof', textOf(generated));
      const { bytes, diagnostics } = await convertProfile({ input, format: 'text' });
      const expected = profileText(parseProfile(bytes ?? new Uint8Array()).functions);
      for (const options of [{ format: 'binary' as const }, {}, { compressAllSections: true }]) {
        expect(profileText((await encoded(options)).functions)).toBe(expected);
      }
      if (!hasLlvmProfdata) return;
      // llvm-profdata refuses a text whose counts of one place add up to more than 64 bits.
      let theirs: string;
      try {
        theirs = llvmMerge(temporary.path, '--text', input).toString();
      } catch (error) {
        expect(String(error)).toContain('Counter overflow');
        expect(diagnostics.map(({ code }) => code)).toContain('counter-overflow');
        return;
      }
      expect(expected).toBe(theirs);
    }),
    { numRuns: 60 },
  );
});

it('names become hashes', async () => {
  await fc.assert(
    fc.asyncProperty(functions, async (generated) => {
      fc.pre(generated.length > 0);
      temporary.write('generated.prof', textOf(generated));
      const { md5, functions } = await encoded({ useMd5: true });
      expect(md5).toBe(true);
      const hashes = functions.map((samples) => samples.name).sort();
      expect(hashes).toEqual(generated.map((one) => nameHash(one.name)).sort());
    }),
    { numRuns: 30 },
  );
});

it('a hundred thousand functions are read as they were written', async () => {
  const text = Array.from(
    { length: 100_000 },
    (_, index) => `f${index}:${index}:1\n 1: ${index} g:${index}\n`,
  ).join('');
  temporary.write('generated.prof', text);
  const { functions } = await encoded({ compressAllSections: true });
  expect(functions).toHaveLength(100_000);
  expect(functions[0]).toMatchObject({ name: 'f99999', body: [{ line: 1, targets: [{ name: 'g' }] }] });
});

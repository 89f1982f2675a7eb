import { describe, expect } from 'vitest';
import { expectSame } from './compare.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { built, recorded } from './program.js';
import { run, testWith } from './tools.js';

const INPUTS = ['--binary=program', '--perfdata=perf.data', '--format=text'];

/** Two functions with the same code, on different lines. */
const twins = `
volatile int sink;
#define BODY \\
  int sum = 0; \\
  for (int i = 0; i < n; i++) \\
    if (i % 3) sum += i; else sum ^= i; \\
  return sum;
__attribute__((noinline)) int first(int n) {
  BODY
}



__attribute__((noinline)) int second(int n) {
  BODY
}
int main(void) {
  for (int i = 0; i < 20000; i++) { sink += first(100); sink += second(101); }
}
`;

describe('functions that the linker folded into one have the name that their lines belong to', () => {
  for (const linker of ['gold', 'lld'] as const) {
    testWith(['clang-22', linker === 'lld' ? 'ld.lld-22' : 'ld.gold'], linker, () => {
      const { folder } = recorded({
        name: `folded-${linker}`,
        files: { 'twins.c': twins },
        build: [
          `${CLANG} ${AUTOFDO} -ffunction-sections -fuse-ld=${linker} -Wl,--icf=all twins.c -o program`,
          'test "$(nm program | grep -E " T (first|second)$" | cut -d" " -f1 | sort -u | wc -l)" = 1',
        ],
      });
      expectSame(oursCompatible(folder, INPUTS), llvmProfgen(folder, [...INPUTS, '--use-md5=false']), true);
      const profile = ours(folder, INPUTS).output?.toString() ?? '';
      expect(profile).toMatch(/^first:/m);
      // The function has two lines. Code without a line has line 0, which lies before the declaration.
      const declared = twins.split('\n').findIndex((line) => line.includes('int first(')) + 1;
      const own = profile.slice(0, profile.indexOf('\nmain:'));
      const offsets = [...own.matchAll(/^ (\d+)(\.\d+)?:/gm)].map(([, offset]) => Number(offset));
      expect(offsets.length).toBeGreaterThan(4);
      expect(offsets.filter((offset) => offset > 2 && offset !== 0x10000 - declared)).toEqual([]);
    });
  }
});

describe('the way to keep functions with the same code apart', () => {
  const tools = { gold: 'ld.gold', lld: 'ld.lld-22', mold: 'mold' } as const;
  for (const linker of ['gold', 'lld', 'mold'] as const) {
    testWith(['clang-22', 'readelf', tools[linker]], `is --icf=none, and not --icf=safe: ${linker}`, () => {
      const places = (mode: string) => {
        const link = `-ffunction-sections -fuse-ld=${linker} -Wl,--icf=${mode}`;
        const folder = built({
          name: `folded-${linker}-${mode}`,
          files: { 'twins.c': twins },
          build: [`${CLANG} ${AUTOFDO} ${link} twins.c -o program`],
        });
        const symbols = run('readelf', ['-sW', 'program'], folder).stdout;
        const addresses = [...symbols.matchAll(/: ([0-9a-f]+) .* (?:first|second)$/gm)];
        expect(addresses).toHaveLength(2);
        return new Set(addresses.map(([, address]) => address)).size;
      };
      // Nothing in this program needs the addresses of the functions to differ.
      expect([places('safe'), places('none')]).toEqual([1, 2]);
    });
  }
});

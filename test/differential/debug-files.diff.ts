import { describe, expect } from 'vitest';
import { expectSame } from './compare.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { recorded } from './program.js';
import { shell, testWith } from './tools.js';

const codec = '$programs/codec.c $programs/codec-main.c';
const shapes = '$fixtures/shapes.cpp';
const INPUTS = ['--binary=program', '--perfdata=perf.data', '--format=text'];

describe('debug information that dwz moved to a second file', () => {
  const flags = [
    ['GNU extension', '-m'],
    ['DWARF 5', '-5 -m'],
  ] as const;
  for (const [name, flag] of flags) {
    testWith(
      ['dwz', 'g++'],
      `${name}: the profile of the program before, or an error that names the file`,
      () => {
        const { folder } = recorded({
          name: `dwz-${flag.replace(/ /g, '')}`,
          build: [
            `g++ -O2 -g ${shapes} -o program -Wl,--build-id`,
            `g++ -O2 -g -DANOTHER ${shapes} -o another -Wl,--build-id`,
          ],
        });
        const whole = llvmProfgen(folder, INPUTS);
        shell(`dwz ${flag} common.debug program another`, folder);
        expectSame(ours(folder, [...INPUTS, '--verbose']), whole, true);
        shell('mv common.debug away.debug', folder);
        const without = ours(folder, INPUTS);
        expect([without.status, without.output]).toEqual([1, undefined]);
        expect(without.stderr).toMatch(/common\.debug.*was not found/);
        shell('cp program common.debug', folder);
        const other = ours(folder, [...INPUTS, '--jobs=1']);
        expect([other.status, other.output]).toEqual([1, undefined]);
      },
    );
  }
});

describe('debug information that llvm-profgen does not find', () => {
  testWith(['objcopy'], 'sections named .zdebug: empty in compatible mode only', () => {
    const { folder } = recorded({ name: 'zdebug', build: [`gcc -O2 -g ${codec} -o program`] });
    const whole = llvmProfgen(folder, INPUTS);
    shell('objcopy --compress-debug-sections=zlib-gnu program', folder);
    shell('readelf -SW program | grep -q zdebug_info', folder);
    expectSame(ours(folder, [...INPUTS, '--verbose']), whole, true);
    const theirs = llvmProfgen(folder, [...INPUTS, '--use-md5=false']);
    expect(theirs.output?.length).toBe(0);
    expectSame(oursCompatible(folder, INPUTS), theirs, true);
  });

  testWith(['clang-22'], 'a .dwo file that was moved with its program', () => {
    const { folder } = recorded({
      name: 'dwo-moved',
      build: [
        'mkdir -p build && cp $programs/codec* build/',
        `cd build && ${CLANG} ${AUTOFDO} -gsplit-dwarf -c codec.c codec-main.c && ${CLANG} codec.o codec-main.o -o program`,
        'cp build/program .',
      ],
    });
    const whole = llvmProfgen(folder, INPUTS);
    shell('mv build/*.dwo .', folder);
    expectSame(ours(folder, INPUTS), whole, true);
    const theirs = llvmProfgen(folder, [...INPUTS, '--use-md5=false']);
    expect(theirs.output).not.toEqual(whole.output);
    expectSame(oursCompatible(folder, INPUTS), theirs, true);
  });
});

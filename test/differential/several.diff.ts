import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { expectSame } from './compare.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { llvmProfgen } from './generators.js';
import { type Program, type Recording, recorded } from './program.js';
import { cli, run, shell, testWith } from './tools.js';

/** A program and the libraries that it loads. */
interface Family extends Program {
  binaries: readonly string[];
}

const relay = '$programs/relay';
const beside = "-L. -Wl,-rpath,'$ORIGIN'";
const libraries = (compiler: string) => [
  `${compiler} -shared -fPIC ${relay}-second.c -o libsecond.so`,
  `${compiler} -shared -fPIC ${relay}-first.c ${beside} -lsecond -o libfirst.so`,
];

const families: readonly Family[] = [
  {
    name: 'several-clang',
    tools: ['clang-22'],
    build: [
      ...libraries(`${CLANG} ${AUTOFDO}`),
      `${CLANG} ${AUTOFDO} ${relay}-main.c ${beside} -lfirst -lsecond -o program`,
    ],
    binaries: ['program', 'libfirst.so', 'libsecond.so'],
  },
  {
    // The program is not position-independent, and the compilers differ.
    name: 'several-mixed',
    tools: ['clang-22'],
    build: [
      ...libraries('gcc -O2 -g'),
      `${CLANG} -no-pie ${relay}-main.c ${beside} -lfirst -lsecond -o program`,
    ],
    record: 'period=97 max=20000',
    binaries: ['libsecond.so', 'program', 'libfirst.so'],
  },
];

const MODES = [
  { name: 'text', flags: ['--format=text'], text: true },
  { name: 'extbinary', flags: [], text: false },
  { name: 'counters', flags: ['--skip-symbolization'], text: true },
] as const;

/** Profiles all binaries in one run, into a folder. */
function together(
  { folder, perfData }: Recording,
  binaries: readonly string[],
  flags: readonly string[],
  to: string,
) {
  const names = binaries.flatMap((binary) => ['--binary', binary]);
  const done = run(process.execPath, [cli, ...names, `--perfdata=${perfData}`, ...flags, '-o', to], folder);
  expect(done.stderr).not.toContain('error:');
  expect(done.status).toBe(0);
  return done;
}

for (const family of families) {
  describe(family.name, () => {
    for (const { name, flags, text } of MODES) {
      for (const compat of [[], ['--compat=llvm-profgen']]) {
        testWith(family.tools ?? [], `${name}, each like llvm-profgen's ${compat.join('')}`, () => {
          const recording = recorded(family);
          const to = `each-${name}${compat.length}`;
          together(recording, family.binaries, [...flags, ...compat], to);
          for (const binary of family.binaries) {
            const theirs = llvmProfgen(recording.folder, [
              `--binary=${binary}`,
              `--perfdata=${recording.perfData}`,
              ...flags,
            ]);
            const file = `${binary}.${name === 'counters' ? 'counters' : 'afdo'}`;
            const output = readFileSync(join(recording.folder, to, file));
            expectSame({ ...theirs, output }, theirs, text);
            expect(output.length, `${binary} has samples`).toBeGreaterThan(0);
          }
        });
      }
    }

    testWith(['llvm-profdata-22', ...(family.tools ?? [])], "merged like llvm-profdata's", () => {
      const recording = recorded(family);
      const { folder } = recording;
      together(recording, family.binaries, [], 'parts');
      together(recording, family.binaries, ['--merge-binaries'], 'merged.afdo');
      const parts = family.binaries.map((binary) => join('parts', `${binary}.afdo`)).join(' ');
      shell(`llvm-profdata-22 merge --sample --extbinary -o expected.afdo ${parts}`, folder);
      const [found, expected] = ['merged.afdo', 'expected.afdo'].map((name) =>
        readFileSync(join(folder, name)),
      );
      expect(found?.equals(expected ?? Buffer.of())).toBe(true);
    });
  });
}

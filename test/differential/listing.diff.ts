import { describe, expect } from 'vitest';
import { compareListing } from './compare.js';
import { AUTOFDO, CLANG, CLANGXX } from './compilers.js';
import { llvmProfgen, ours } from './generators.js';
import { folderOf, type Program } from './program.js';
import { shell, testWith } from './tools.js';

const PROBES = '-fdebug-info-for-profiling -fpseudo-probe-for-profiling';
const mixed = '$programs/probes.cpp $programs/probes-other.cpp';

// The programs need not run here, so they may be for any processor.
const programs: Program[] = [
  { name: 'listing-c', tools: ['clang-22'], build: [`${CLANG} ${AUTOFDO} $fixtures/calc.c -o program`] },
  { name: 'listing-gcc', build: ['gcc -O3 -g -march=skylake-avx512 $fixtures/calc.c -o program'] },
  {
    name: 'listing-static',
    tools: ['clang++-22'],
    build: [`${CLANGXX} -static -march=x86-64-v4 $fixtures/shapes.cpp -o program`],
  },
  { name: 'listing-probes', tools: ['clang++-22'], build: [`${CLANGXX} ${PROBES} ${mixed} -o program`] },
  {
    name: 'listing-flow-sensitive-probes',
    tools: ['clang++-22'],
    build: [`clang++-22 -O3 -g ${PROBES} ${AUTOFDO} ${mixed} -o program`],
  },
  {
    name: 'listing-instructions',
    tools: ['clang-22', 'ld.lld-22'],
    build: [
      'clang-22 -c $programs/instructions.s',
      'ld.lld-22 --image-base=0x200000 instructions.o -o program',
    ],
  },
];

for (const program of programs) compareListing(program);

describe('AArch64 code', () => {
  const tools = ['clang-22', 'ld.lld-22'];
  testWith(tools, 'is not listed', () => {
    const folder = folderOf({ name: 'listing-aarch64', build: [] });
    shell('echo "void _start(void) {}" > a.c', folder);
    shell('clang-22 --target=aarch64-linux-gnu -nostdlib -fuse-ld=lld a.c -o program', folder);
    const found = ours(folder, ['--binary=program', '--show-disassembly-only']);
    expect(found.status).toBe(1);
    expect(found.stderr).toContain('llvm-objdump');
    expect(llvmProfgen(folder, ['--binary=program', '--show-disassembly-only']).status).toBe(0);
  });
});

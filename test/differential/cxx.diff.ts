import { compareProgram } from './compare.js';
import { AUTOFDO, CLANGXX } from './compilers.js';
import type { Program } from './program.js';

const shapes = '$fixtures/shapes.cpp';
const clang = ['clang++-22'];
const lld = ['clang++-22', 'ld.lld-22'];

const programs: Program[] = [
  { name: 'cxx-autofdo', tools: clang, build: [`${CLANGXX} ${AUTOFDO} ${shapes} -o program`] },
  { name: 'cxx-O1-dwarf4', tools: clang, build: [`${CLANGXX} -O1 -gdwarf-4 ${shapes} -o program`] },
  {
    name: 'cxx-type-units',
    tools: clang,
    build: [`${CLANGXX} -fdebug-types-section -fdebug-info-for-profiling ${shapes} -o program`],
  },
  {
    name: 'cxx-type-units-dwarf4',
    tools: clang,
    build: [`${CLANGXX} -gdwarf-4 -fdebug-types-section ${shapes} -o program`],
  },
  {
    // The code of the standard library has no DWARF, but many symbols.
    name: 'cxx-static-library',
    tools: lld,
    build: [`${CLANGXX} ${AUTOFDO} -static-libstdc++ -static-libgcc -fuse-ld=lld ${shapes} -o program`],
  },
  {
    name: 'cxx-unique-names',
    tools: clang,
    build: [`${CLANGXX} ${AUTOFDO} -funique-internal-linkage-names ${shapes} -o program`],
  },
  {
    name: 'cxx-thin-lto',
    tools: lld,
    build: [`${CLANGXX} ${AUTOFDO} -flto=thin -fuse-ld=lld ${shapes} -o program`],
  },
  {
    name: 'cxx-probes',
    tools: clang,
    build: [`${CLANGXX} -fdebug-info-for-profiling -fpseudo-probe-for-profiling ${shapes} -o program`],
    flags: ['--use-dwarf-correlation'],
  },
  { name: 'gxx-O2', tools: ['g++'], build: [`g++ -O2 -g ${shapes} -o program`] },
  { name: 'gxx-O3-dwarf4', tools: ['g++'], build: [`g++ -O3 -gdwarf-4 ${shapes} -o program`] },
  {
    name: 'gxx-type-units',
    tools: ['g++'],
    build: [`g++ -O2 -g -fdebug-types-section -ffunction-sections ${shapes} -o program`],
  },
];

for (const program of programs) compareProgram(program);

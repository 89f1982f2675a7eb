import { compareProgram } from './compare.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { manyFunctions } from './many-functions.js';
import type { Program } from './program.js';

const calc = '$fixtures/calc.c';
const codec = '$programs/codec.c $programs/codec-main.c';
const clang = ['clang-22'];
const lld = ['clang-22', 'ld.lld-22'];

const programs: Program[] = [
  { name: 'clang-autofdo', tools: clang, build: [`${CLANG} ${AUTOFDO} ${codec} -o program`] },
  { name: 'clang-19', tools: ['clang-19'], build: [`clang-19 -O2 -g ${AUTOFDO} ${calc} -o program`] },
  { name: 'clang-O1', tools: clang, build: [`${CLANG} -O1 ${AUTOFDO} ${calc} -o program`] },
  {
    name: 'clang-O3',
    tools: clang,
    build: [`${CLANG} -O3 -funroll-loops -march=x86-64-v3 ${calc} -o program`],
  },
  { name: 'clang-Os', tools: clang, build: [`${CLANG} -Os -fdebug-info-for-profiling ${codec} -o program`] },
  ...[2, 3, 4, 5].map((version) => ({
    name: `clang-dwarf${version}`,
    tools: clang,
    build: [`${CLANG} -gdwarf-${version} -fdebug-info-for-profiling ${calc} -o program`],
  })),
  { name: 'clang-dwarf64', tools: clang, build: [`${CLANG} -gdwarf64 ${codec} -o program`] },
  { name: 'clang-aranges', tools: clang, build: [`${CLANG} -gdwarf-aranges ${codec} -o program`] },
  {
    name: 'clang-line-tables',
    tools: clang,
    build: [`${CLANG} -gline-tables-only -fdebug-info-for-profiling ${calc} -o program`],
  },
  { name: 'clang-no-pie', tools: clang, build: [`${CLANG} ${AUTOFDO} -no-pie ${codec} -o program`] },
  { name: 'clang-static', tools: clang, build: [`${CLANG} ${AUTOFDO} -static ${calc} -o program`] },
  { name: 'clang-static-pie', tools: clang, build: [`${CLANG} ${AUTOFDO} -static-pie ${codec} -o program`] },
  { name: 'clang-lld', tools: lld, build: [`${CLANG} ${AUTOFDO} -fuse-ld=lld ${codec} -o program`] },
  {
    name: 'clang-lld-compressed',
    tools: lld,
    build: [`${CLANG} -fuse-ld=lld -Wl,--compress-debug-sections=zstd ${calc} -o program`],
  },
  {
    // The DWARF of sections that the linker dropped stays, at addresses 0, 1 or -1.
    name: 'clang-collected-sections',
    tools: lld,
    build: [`${CLANG} ${AUTOFDO} -ffunction-sections -fuse-ld=lld -Wl,--gc-sections ${codec} -o program`],
  },
  {
    // Identical code is folded, so several functions start at one address.
    name: 'clang-folded-functions',
    tools: lld,
    build: [`${CLANG} -ffunction-sections -fuse-ld=lld -Wl,--icf=all ${calc} -o program`],
  },
  {
    name: 'clang-thin-lto',
    tools: lld,
    build: [`${CLANG} ${AUTOFDO} -flto=thin -fuse-ld=lld ${codec} -o program`],
  },
  {
    name: 'clang-full-lto',
    tools: lld,
    build: [`${CLANG} ${AUTOFDO} -flto -fuse-ld=lld ${codec} -o program`],
  },
  {
    // The second build of an AutoFDO user: optimised by the first build's profile, with cold parts split off.
    name: 'clang-split-machine-functions',
    tools: [...lld, 'qemu-x86_64'],
    build: [
      `${CLANG} ${AUTOFDO} ${calc} -o first`,
      '$programs/../../recorder/record-program.sh first.data period=499 -- ./first >/dev/null',
      'llvm-profgen-22 --binary=first --perfdata=first.data -o first.afdo',
      `${CLANG} ${AUTOFDO} -fprofile-sample-use=first.afdo -ffunction-sections -fsplit-machine-functions -fuse-ld=lld ${calc} -o program`,
    ],
  },
  {
    name: 'clang-split-dwarf',
    tools: [...clang, 'llvm-dwp-22'],
    build: [
      'clang-22 -O2 -g -gsplit-dwarf -fdebug-info-for-profiling -c $programs/codec.c $programs/codec-main.c',
      'clang-22 codec.o codec-main.o -o program',
    ],
  },
  {
    name: 'clang-split-dwarf-package',
    tools: [...clang, 'llvm-dwp-22'],
    build: [
      'clang-22 -O2 -g -gsplit-dwarf -gdwarf-4 -c $programs/codec.c $programs/codec-main.c',
      'clang-22 codec.o codec-main.o -o program',
      'llvm-dwp-22 -e program -o package.dwp',
      'rm codec.dwo codec-main.dwo',
    ],
    flags: ['--dwp=package.dwp'],
  },
  {
    name: 'clang-debug-binary',
    tools: [...clang, 'objcopy'],
    build: [
      `${CLANG} ${AUTOFDO} ${calc} -o program`,
      'objcopy --only-keep-debug program debug-info',
      'objcopy --strip-debug program',
    ],
    flags: ['--debug-binary=debug-info'],
  },
  {
    name: 'clang-debuglink',
    tools: [...clang, 'objcopy'],
    build: [
      `${CLANG} ${AUTOFDO} ${calc} -o program`,
      'objcopy --only-keep-debug program program.debug',
      'objcopy --strip-debug --add-gnu-debuglink=program.debug program',
    ],
    deviates: 'stripped binary + debug file',
  },
  {
    name: 'clang-probes',
    tools: clang,
    build: [`${CLANG} -fdebug-info-for-profiling -fpseudo-probe-for-profiling ${calc} -o program`],
    flags: ['--use-dwarf-correlation'],
  },
  { name: 'gcc-O2', build: [`gcc -O2 -g ${codec} -o program`] },
  { name: 'gcc-O3', build: [`gcc -O3 -g -fno-plt ${calc} -o program`] },
  { name: 'gcc-dwarf2', build: [`gcc -O2 -gdwarf-2 -gstrict-dwarf ${calc} -o program`] },
  { name: 'gcc-dwarf4', build: [`gcc -O2 -gdwarf-4 ${codec} -o program`] },
  { name: 'gcc-lto', build: [`gcc -O2 -g -flto ${codec} -o program`] },
  {
    // Hot and cold parts of one function lie far apart, as gcc's own profile splits them.
    name: 'gcc-partition',
    build: [
      `gcc -O2 -g -fprofile-generate -fprofile-update=single ${calc} -o trained`,
      './trained >/dev/null',
      `gcc -O2 -g -fprofile-use -Wno-missing-profile -freorder-blocks-and-partition -dumpbase trained ${calc} -o program`,
    ],
  },
  {
    name: 'shared-library',
    build: [
      'gcc -O2 -g -shared -fPIC $programs/matrix.c -o libmatrix.so',
      "gcc -O2 -g $programs/matrix-main.c -L. -lmatrix -Wl,-rpath,'$ORIGIN' -o program",
    ],
    binary: 'libmatrix.so',
  },
  { name: 'threads', tools: clang, build: [`${CLANG} ${AUTOFDO} $programs/threads.c -o program -lpthread`] },
  {
    name: 'two-segments',
    tools: clang,
    build: [`${CLANG} -no-pie $programs/segments.c -Wl,-T,$programs/far-code.ld -o program`],
  },
  {
    name: 'instruction-classes',
    build: ['gcc -O1 -g $programs/classes.S $programs/classes-main.c -o program'],
  },
  {
    name: 'many-functions',
    tools: clang,
    files: { 'many.c': manyFunctions(400) },
    build: [`${CLANG} ${AUTOFDO} many.c -o program`],
  },
  {
    name: 'many-functions-gcc',
    files: { 'many.c': manyFunctions(700) },
    build: ['gcc -O1 -g many.c -o program'],
  },
];

for (const program of programs) compareProgram(program);

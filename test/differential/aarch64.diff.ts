import { compareProgram } from './compare.js';
import { AUTOFDO } from './compilers.js';
import type { Program } from './program.js';

const clang = 'clang-22 --target=aarch64-linux-gnu -static -fuse-ld=lld -O2 -g';
const tools = ['clang-22', 'ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'];

// The code is baseline code, because llvm-profgen decodes nothing newer than ARMv8.0-A.
const programs: Program[] = [
  {
    name: 'aarch64-autofdo',
    tools,
    build: [`${clang} ${AUTOFDO} $programs/codec.c $programs/codec-main.c -o program`],
    record: 'period=1999 depth=64 hw_idx=on',
  },
  {
    name: 'aarch64-dwarf4',
    tools,
    build: [`${clang} -O1 -gdwarf-4 $fixtures/calc.c -o program`],
    record: 'period=1999 depth=32',
  },
  {
    name: 'aarch64-probes',
    tools,
    build: [`${clang} -fpseudo-probe-for-profiling -fdebug-info-for-profiling $fixtures/calc.c -o program`],
    flags: ['--use-dwarf-correlation'],
  },
  {
    name: 'aarch64-threads',
    tools,
    build: [`${clang} ${AUTOFDO} -mbranch-protection=bti $programs/threads.c -o program`],
  },
];

for (const program of programs) compareProgram(program);

import { describe, expect } from 'vitest';
import { expectSame } from './compare.js';
import { AUTOFDO } from './compilers.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { type Program, recorded } from './program.js';
import { type Tool, testWith } from './tools.js';

const cfi = `-O2 -g -flto -fvisibility=hidden -fsanitize=cfi-icall -fno-sanitize-ignorelist -fuse-ld=lld ${AUTOFDO}`;
const build = (flags: string) => [`clang-22 ${flags} ${cfi} $programs/cfi.c -o program`];
const arm = '--target=aarch64-linux-gnu -static';
const armTools: Tool[] = ['clang-22', 'ld.lld-22', 'qemu-aarch64', '/usr/aarch64-linux-gnu/lib/crt1.o'];
const record = 'period=997 exact=exact.counters';

const programs: Program[] = [
  { name: 'cfi-x86', tools: ['clang-22', 'ld.lld-22'], build: build(''), record },
  // The entries of the jump table have names of their own, for example alpha.cfi_jt.
  {
    name: 'cfi-x86-named-entries',
    tools: ['clang-22', 'ld.lld-22'],
    build: build('-fno-sanitize-cfi-canonical-jump-tables'),
    record,
  },
  { name: 'cfi-x86-ibt', tools: ['clang-22', 'ld.lld-22'], build: build('-fcf-protection=branch'), record },
  { name: 'cfi-aarch64', tools: armTools, build: build(arm), record },
  { name: 'cfi-aarch64-bti', tools: armTools, build: build(`${arm} -mbranch-protection=bti`), record },
];

const flags = [
  '--binary=program',
  '--unsymbolized-profile=exact.counters',
  '--use-offset=0',
  '--format=text',
];
const textOf = (outcome: { output?: Buffer | undefined }) => outcome.output?.toString() ?? '';
/** Returns the head counts of the two functions, whatever their totals are. */
const heads = (profile: string) =>
  profile.match(/^(?:alpha|beta)[^:]*:\d+:(\d+)$/gm)?.map((line) => line.split(':')[2]);
const callsOfMain = (profile: string) =>
  /^main:.*(?:\n .*)*/m
    .exec(profile)?.[0]
    .match(/(?:alpha|beta)[^: ]*:\d+/g)
    ?.map((call) => call.replace(/[.\w]*:/, (name) => `${name.slice(0, 1)}:`))
    .sort();

describe('calls through a jump table of cfi-icall', () => {
  for (const program of programs)
    testWith(
      program.tools ?? [],
      `are calls of the functions that the table jumps to: ${program.name}`,
      () => {
        const { folder } = recorded(program);
        const theirs = llvmProfgen(folder, flags);
        expectSame(oursCompatible(folder, flags), theirs, true);
        expect(callsOfMain(textOf(theirs))).toBeUndefined();
        const found = textOf(ours(folder, flags));
        expect(callsOfMain(found)).toEqual(['a:1499', 'b:1500']);
        expect(heads(found)).toEqual(heads(textOf(theirs)));
      },
    );
});

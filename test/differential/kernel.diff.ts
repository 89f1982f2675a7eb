import { readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { compareTraces, expectSame } from './compare.js';
import { llvmProfgen, ours, oursCompatible } from './generators.js';
import { folderOf } from './program.js';
import { cli, run, testWith } from './tools.js';

// A folder that test/recorder/record-kernel.sh filled: a vmlinux with DWARF, and a perf.data recorded with KASLR.
const given = process.env['AUTOFDO_KERNEL_DIR'] ?? '/AUTOFDO_KERNEL_DIR-is-not-set';
const tools = [join(given, 'vmlinux'), join(given, 'perf.data')];

const MODES = [
  { name: 'text', flags: ['--format=text'], text: true },
  { name: 'extbinary', flags: ['--format=extbinary'], text: false },
  { name: 'counters', flags: ['--skip-symbolization'], text: true },
];

describe('kernel', () => {
  for (const { name, flags, text } of MODES) {
    testWith(tools, `${name}, --compat`, () => {
      const folder = folderOf({ name: `kernel-${name}`, build: [] });
      for (const file of ['vmlinux', 'perf.data']) symlinkSync(join(given, file), join(folder, file));
      const all = ['--kernel', '--binary=vmlinux', '--perfdata=perf.data', ...flags];
      const theirs = llvmProfgen(folder, all);
      const compatible = oursCompatible(folder, all);
      expectSame(compatible, theirs, text);
      expect(compatible.warnings).toEqual(theirs.warnings);
    });
  }

  // The second command line of the kernel's Documentation/dev-tools/autofdo.rst, without its first word.
  const theSame = '--binary=vmlinux --profile=perf.data --format=extbinary --out=profile';
  const others = [
    '-binary vmlinux -profile perf.data -format extbinary -out profile',
    '--binary vmlinux --profile perf.data --profiler=perf --use_lbr --format extbinary --out profile',
    '--binary=vmlinux --profile=perf.data --use-lbr=true --format=extbinary --prof-sym-list=false --out=profile',
  ];
  testWith(tools, "create_llvm_prof's command line in the kernel's document", () => {
    const folder = folderOf({ name: 'kernel-create-llvm-prof', build: [] });
    for (const file of ['vmlinux', 'perf.data']) symlinkSync(join(given, file), join(folder, file));
    const written = (line: string) => {
      const { status, stderr } = run(process.execPath, [cli, ...line.split(' ')], folder);
      expect(status, stderr).toBe(0);
      return readFileSync(join(folder, 'profile'));
    };
    const found = written(theSame);
    const flags = ['--binary=vmlinux', '--perfdata=perf.data', '--format=extbinary'];
    expect(found.equals(ours(folder, flags).output ?? Buffer.of()), 'our own flags').toBe(true);
    // A kernel rewrites its code, so llvm-profgen's profile differs (docs/compatibility.md). With --compat both are equal.
    const theirs = llvmProfgen(folder, ['--kernel', ...flags]).output ?? Buffer.of();
    expect(theirs.equals(written(`--compat=llvm-profgen ${theSame}`)), 'llvm-profgen').toBe(true);
    for (const line of others) expect(found.equals(written(line)), line).toBe(true);
  });

  testWith(tools, 'from traces', () => {
    const folder = folderOf({ name: 'kernel-traces', build: [] });
    for (const file of ['vmlinux', 'perf.data']) symlinkSync(join(given, file), join(folder, file));
    compareTraces(folder, 'perf.data', ['--binary=vmlinux']);
    const sizes = ['perf.data', 'perf.data.parquet'].map((file) => statSync(join(folder, file)).size);
    expect((sizes[1] ?? 0) * 4).toBeLessThan(sizes[0] ?? 0);
  });
});

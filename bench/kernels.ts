/** Boots kernels and records them with a small load, and makes profiles of these recordings. */
import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cache, folder, make, sh } from './cache.js';
import type { Input } from './inputs.js';
import { halved } from './recordings.js';
import { ours } from './tools.js';

const LOOPS = 12;
const LOOPS_OF_BUILT = 30;

/**
 * Modules of file systems, and the modules that they need: more than 20 with all dependencies. The load uses the
 * last one.
 */
const MODULES =
  'crc32c_generic,btrfs,xfs,ext4,vfat,nls_ascii,isofs,udf,squashfs,fuse,dm_mod,raid1,raid456,cifs,nfs,overlay';

/** Debian's cloud kernel. The first call downloads 300 MB. */
export function kernel(): Input {
  const downloaded = process.env['AUTOFDO_KERNEL_DIR'] ?? join(cache, 'kernel');
  const own = join(folder, `kernel-${LOOPS}`);
  const perfData = join(own, 'perf.data');
  if (!existsSync(perfData)) {
    mkdirSync(own, { recursive: true });
    for (const file of ['vmlinux', 'vmlinuz']) {
      if (existsSync(join(downloaded, file)) && !existsSync(join(own, file)))
        symlinkSync(join(downloaded, file), join(own, file));
    }
    sh(`test/recorder/record-kernel.sh ${own} loops=${LOOPS}`);
  }
  return { name: "Debian's kernel, with DWARF", binary: join(own, 'vmlinux'), perfData, flags: ['--kernel'] };
}

/** The same kernel with modules, which are given as further binaries. The first call downloads 300 MB. */
export function kernelWithModules(): { input: Input; modules: string[] } {
  const own = join(folder, 'kernel-modules');
  make(own, (path) => sh(`test/recorder/record-kernel.sh ${path} loops=${LOOPS} modules=${MODULES}`));
  const folderOfModules = join(own, 'modules');
  const modules = readdirSync(folderOfModules).filter((name) => name.endsWith('.ko'));
  const input = {
    name: "Debian's kernel with modules",
    binary: join(own, 'vmlinux'),
    perfData: join(own, 'perf.data'),
  };
  return { input, modules: modules.map((name) => join(folderOfModules, name)) };
}

/**
 * A kernel that clang built in the folder `AUTOFDO_KERNEL_TREE`, for example by `bench/build-kernel.sh`. Such a
 * kernel has fewer devices than Debian's, so the load runs more often to give a recording of the same size.
 * Returns `undefined` if the variable is not set.
 */
export function builtKernel(): Input | undefined {
  const tree = process.env['AUTOFDO_KERNEL_TREE'];
  if (tree === undefined) return undefined;
  const own = join(folder, 'kernel-built');
  const perfData = join(own, 'perf.data');
  if (!existsSync(perfData))
    sh(`test/recorder/record-kernel.sh ${own} loops=${LOOPS_OF_BUILT} kernel=${resolve(tree)}`);
  return { name: 'a kernel that clang built', binary: join(own, 'vmlinux'), perfData, flags: ['--kernel'] };
}

/** Makes `count` profiles of the kernel. Each is made from half of the samples, chosen at random. */
export function kernelProfiles(count: number): string[] {
  const input = kernel();
  const own = join(folder, `profiles-${count}`);
  make(own, (path) => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    const perfData = join(path, 'part.data');
    for (let seed = 0; seed < count; seed++) {
      halved(input.perfData, perfData, seed);
      const { program, args } = ours(
        { ...input, perfData },
        join(path, `${seed}.afdo`),
        '--format=extbinary',
      );
      execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    }
    rmSync(perfData);
  });
  return readdirSync(own).map((name) => join(own, name));
}

/** Makes `count` links to these files, and returns their paths. */
export function moreNames(files: readonly string[], count: number): string[] {
  const own = join(folder, `profiles-${files.length}-as-${count}`);
  make(own, (path) => {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
    for (let index = 0; index < count; index++)
      linkSync(files[index % files.length] ?? '', join(path, `${index}.afdo`));
  });
  return readdirSync(own).map((name) => join(own, name));
}

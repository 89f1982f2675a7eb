// Checks that an addon needs no more of the system than the baseline in README.md.
import { join } from 'node:path';
import { ROOT, run } from './files.mjs';
import { pythonTools } from './python.mjs';
import { GLIBC_BASELINE } from './targets.mjs';

/**
 * Libraries that an addon may need: parts of the C library. A musl addon needs one library, by whichever name musl
 * has.
 */
const LIBRARIES = {
  glibc: /^(lib(c|m|dl|pthread|rt|util)\.so\.\d+|ld-linux.*\.so\.\d+)$/,
  musl: /^(libc\.so|libc\.musl-.*\.so\.1)$/,
  macos:
    /^\/(usr\/lib\/lib(System\.B|iconv\.2)\.dylib|System\/Library\/Frameworks\/CoreFoundation\.framework\/.*)$/,
};

/**
 * Throws if the addon needs more than the baseline.
 * @param {import('./targets.mjs').Target} target
 * @param {string} path
 */
export function checkAddon(target, path) {
  if (target.libc !== undefined) checkElf(target, target.libc, path);
  else checkMachO(target, path);
}

/**
 * @param {import('./targets.mjs').Target} target
 * @param {'glibc' | 'musl'} libc
 * @param {string} path
 */
function checkElf({ cpu }, libc, path) {
  const readelf = (/** @type {string[]} */ ...flags) => run('readelf', ['--wide', ...flags, path]);
  const machine = cpu === 'x64' ? 'Advanced Micro Devices X86-64' : 'AArch64';
  expect(readelf('--file-header').includes(machine), path, `it is not for ${machine}`);
  expect(!/\.symtab|\.debug_/.test(readelf('--sections')), path, 'it is not stripped');
  // A note like this makes the dynamic linker refuse older processors.
  expect(!/x86 ISA needed:.*v[234]/.test(readelf('--notes')), path, 'it needs more than baseline x86-64');
  const needed = [...readelf('--dynamic').matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name ?? '');
  expect(needed.length > 0, path, 'it names no library that it needs');
  const foreign = needed.filter((name) => !LIBRARIES[libc].test(name));
  expect(foreign.length === 0, path, `it needs ${foreign.join(', ')}`);
  const versions = new Set(readelf('--version-info').match(/GLIBC_[\d.]+/g));
  if (libc === 'musl') expect(versions.size === 0, path, 'a musl addon has symbol versions of glibc');
  else expect(versions.size > 0, path, 'no symbol version of glibc was found');
  const above = [...versions].filter((version) => newer(version.slice('GLIBC_'.length), GLIBC_BASELINE));
  expect(above.length === 0, path, `it needs ${above.join(', ')}, more than glibc ${GLIBC_BASELINE}`);
}

/**
 * @param {import('./targets.mjs').Target} target
 * @param {string} path
 */
function checkMachO({ cpu, macos = '' }, path) {
  const facts = JSON.parse(run(join(pythonTools(), 'python3'), [join(ROOT, 'packaging/macho.py'), path]));
  const wanted = cpu === 'x64' ? 'X86_64' : 'ARM64';
  expect(facts.cpu === wanted, path, `it is for ${facts.cpu}, not for ${wanted}`);
  expect(facts.platform === 'MACOS', path, `it is for ${facts.platform}, not for macOS`);
  expect(!newer(facts.version, macos), path, `it needs macOS ${facts.version}, more than ${macos}`);
  expect(facts.libraries.length > 0, path, 'it names no library that it needs');
  const foreign = facts.libraries.filter((/** @type {string} */ name) => !LIBRARIES.macos.test(name));
  expect(foreign.length === 0, path, `it needs ${foreign.join(', ')}`);
  const missing = facts.lookups.filter((/** @type {string} */ name) => !name.startsWith('_napi_'));
  expect(missing.length === 0, path, `no library has its symbols ${missing.join(', ')}`);
  // Only Arm processors of macOS require a signature.
  expect(cpu === 'x64' || facts.signature === null, path, facts.signature);
}

/** True if the dotted version `a` is newer than `b`. */
function newer(/** @type {string} */ a, /** @type {string} */ b) {
  const x = a.split('.').map(Number);
  const y = b.split('.').map(Number);
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    if ((x[i] ?? 0) !== (y[i] ?? 0)) return (x[i] ?? 0) > (y[i] ?? 0);
  }
  return false;
}

/** @param {boolean} holds @param {string} path @param {string} problem */
function expect(holds, path, problem) {
  if (!holds) throw new Error(`${path}: ${problem}`);
}

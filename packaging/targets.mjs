// The platforms for which a package is published. All other facts about platforms derive from this table.

/**
 * @typedef {object} Target
 * @property {string} triple Name of the target in rustc.
 * @property {string} platform Name of the platform in the names of the addon and its package.
 * @property {'linux' | 'darwin'} os Name of the system in npm.
 * @property {'x64' | 'arm64'} cpu Name of the processor in npm.
 * @property {'glibc' | 'musl'} [libc] Name of the C library in npm.
 * @property {string} [macos] Oldest version of macOS on which the addon must run.
 * @property {string} zig Name for `zig cc -target`, with the oldest glibc or macOS on which the addon must run.
 * @property {string} baseline Oldest system on which the addon runs, in words.
 */

/** Oldest glibc with which Linux addons run. It is the glibc of RHEL 7, and of Node's own builds up to version 16. */
export const GLIBC_BASELINE = '2.17';

/** @type {readonly Target[]} */
export const TARGETS = [
  linux('x86_64', 'x64', 'gnu'),
  linux('aarch64', 'arm64', 'gnu'),
  linux('x86_64', 'x64', 'musl'),
  linux('aarch64', 'arm64', 'musl'),
  mac('x86_64', 'x64'),
  mac('aarch64', 'arm64'),
];

/**
 * @param {string} rustArch
 * @param {'x64' | 'arm64'} cpu
 * @param {'gnu' | 'musl'} abi
 * @returns {Target}
 */
function linux(rustArch, cpu, abi) {
  const isGlibc = abi === 'gnu';
  return {
    triple: `${rustArch}-unknown-linux-${abi}`,
    platform: `linux-${cpu}-${abi}`,
    os: 'linux',
    cpu,
    libc: isGlibc ? 'glibc' : 'musl',
    zig: `${rustArch}-linux-${abi}${isGlibc ? `.${GLIBC_BASELINE}` : ''}`,
    baseline: isGlibc ? `glibc ${GLIBC_BASELINE}` : 'musl 1.2',
  };
}

/**
 * @param {string} rustArch
 * @param {'x64' | 'arm64'} cpu
 * @returns {Target}
 */
function mac(rustArch, cpu) {
  // Node 20 itself needs these versions.
  const macos = cpu === 'x64' ? '10.15' : '11.0';
  return {
    triple: `${rustArch}-apple-darwin`,
    platform: `darwin-${cpu}`,
    os: 'darwin',
    cpu,
    macos,
    zig: `${rustArch}-macos.${macos}`,
    baseline: `macOS ${macos}`,
  };
}

/** Returns the target of this machine. */
export function hostTarget() {
  const { platform, arch } = process;
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  const libc = report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  const found = TARGETS.find(
    ({ os, cpu, libc: wanted }) => os === platform && cpu === arch && (os !== 'linux' || wanted === libc),
  );
  if (found === undefined) throw new Error(`no package is published for this machine (${platform}-${arch})`);
  return found;
}

/** @param {string} name Triple, or name of a platform. */
export function targetNamed(name) {
  const found = TARGETS.find(({ triple, platform }) => triple === name || platform === name);
  if (found !== undefined) return found;
  throw new Error(`unknown target ${name}; there are ${TARGETS.map(({ platform }) => platform).join(', ')}`);
}

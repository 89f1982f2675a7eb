// The platforms that a package is published for; everything else about platforms derives from this table.

/**
 * @typedef {object} Target
 * @property {string} triple As rustc names it.
 * @property {string} platform As the addon and its package are named.
 * @property {'linux' | 'darwin'} os As npm names it.
 * @property {'x64' | 'arm64'} cpu As npm names it.
 * @property {'glibc' | 'musl'} [libc] As npm names it.
 * @property {string} [macos] The oldest macOS that must do.
 * @property {string} zig As `zig cc -target` takes it, with the oldest glibc or macOS that must do.
 * @property {string} baseline The oldest system that the addon runs on, in words.
 */

/** The oldest glibc that Linux addons run with: that of RHEL 7, and of Node's own builds up to version 16. */
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
  // Node 20 itself needs these.
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

/** The target of this machine. */
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

/** @param {string} name A triple or the name of a platform. */
export function targetNamed(name) {
  const found = TARGETS.find(({ triple, platform }) => triple === name || platform === name);
  if (found !== undefined) return found;
  throw new Error(`unknown target ${name}; there are ${TARGETS.map(({ platform }) => platform).join(', ')}`);
}

import { join } from 'node:path';
import { ROOT, run } from './files.mjs';

/** Packages of PyPI with the tools that build and check addons. */
const PACKAGES = ['cargo-zigbuild==0.24.1', 'ziglang==0.17.1', 'lief==1.0.0'];

/** Folder in which these tools are installed. */
export const PYTHON_TOOLS = join(ROOT, 'native/target/zig');

let isInstalled = false;

/** Installs the tools once, and returns the folder of their programs. */
export function pythonTools() {
  const bin = join(PYTHON_TOOLS, 'bin');
  if (isInstalled) return bin;
  run('python3', ['-m', 'venv', PYTHON_TOOLS]);
  run(join(bin, 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...PACKAGES]);
  isInstalled = true;
  return bin;
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type * as Binding from '../native/binding/index.cjs';
import { AutofdoError } from './errors.js';

export type Addon = (typeof Binding)['default'];

/**
 * Scope and prefix of the names of the packages that hold one addon each. The rest of such a name is the platform.
 */
const SCOPE = '@autofdo-gen';
const PREFIX = 'binding-';

/** The facts that the loader, `native/binding/index.cjs`, adds to its error. */
export interface LoadFailure {
  /** The folder of the loader. */
  folder: string;
  /** The places where the loader looked: each is a file, or the name of a package. */
  failures: readonly { platform: string; request: string; error: unknown }[];
}

/** Loads the addon on first use. Throws `ADDON_UNAVAILABLE` when there is none for this platform. */
export async function loadAddon(): Promise<Addon> {
  try {
    return (await import('../native/binding/index.cjs')).default;
  } catch (cause) {
    const { message, hint } = explain(cause as LoadFailure, thisPlatform());
    throw new AutofdoError('ADDON_UNAVAILABLE', message, { hint, cause });
  }
}

/** Returns the platform that Node was built for, as the names of the addons' packages spell it. */
function thisPlatform(): string {
  const { platform, arch } = process;
  if (platform !== 'linux') return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
  const report = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return `linux-${arch}-${report.header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'}`;
}

/** Explains why no addon could be loaded on `platform`, and tells what to do. */
export function explain(
  { folder, failures }: LoadFailure,
  platform: string,
): { message: string; hint: string } {
  const own = failures.filter((failure) => failure.platform === platform);
  const broken = own.find(({ error }) => (error as { code?: string }).code !== 'MODULE_NOT_FOUND');
  if (broken !== undefined) {
    return {
      message: `the native addon ${broken.request} could not be loaded: ${firstLine(broken.error)}`,
      hint: 'Install this package again. README.md names the C libraries that its addons need.',
    };
  }
  if (existsSync(join(folder, '../crates'))) {
    return {
      message: `the native addon was not built: ${join(folder, `autofdo-gen.${platform}.node`)} does not exist`,
      hint: 'Build it with `npm run build:native`, which needs Rust and a C compiler.',
    };
  }
  const wanted = `${SCOPE}/${PREFIX}${platform}`;
  const published = publishedPackages(folder);
  if (published !== undefined && !published.includes(wanted)) {
    return {
      message: `there is no native addon for ${platform}; packages exist for ${published.map(platformOf).join(', ')}`,
      hint: 'Copy the recording and the binary to a machine of one of these platforms, and make the profile there.',
    };
  }
  const others = installedPlatforms(folder);
  if (others.length > 0) {
    return {
      message: `the package ${wanted}, which has the native addon, is not installed, but that of ${others.join(', ')} is`,
      hint: 'node_modules was installed on another platform. Delete it, and run `npm install` on this one.',
    };
  }
  const lock = lockFileWithout(wanted, folder);
  if (lock !== undefined) {
    return {
      message: `the package ${wanted}, which has the native addon, is not installed, as ${lock} does not list it`,
      hint: `Delete ${lock} and node_modules, and run \`npm install\`: npm then lists the packages of all platforms.`,
    };
  }
  return {
    message: `the package ${wanted}, which has the native addon, is not installed`,
    hint: 'npm leaves it out with `--omit=optional` or `--no-optional`. Run `npm install --include=optional`.',
  };
}

/**
 * Returns the packages with an addon that this release has. Returns `undefined` if the manifest is not at its
 * place near the loader.
 */
function publishedPackages(folder: string): string[] | undefined {
  const path = join(folder, '../../package.json');
  if (!existsSync(path)) return undefined;
  const { optionalDependencies = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
    optionalDependencies?: Record<string, string>;
  };
  return Object.keys(optionalDependencies);
}

function platformOf(name: string): string {
  return name.slice(`${SCOPE}/${PREFIX}`.length);
}

/** Yields `folder` and all folders above it: the folders where Node looks for packages. */
function* ancestors(folder: string): Generator<string> {
  for (let at = folder; ; at = dirname(at)) {
    yield at;
    if (dirname(at) === at) return;
  }
}

/** Returns the platforms whose addons are installed where Node looks for the addon of this platform. */
function installedPlatforms(folder: string): string[] {
  const found = new Set<string>();
  for (const parent of ancestors(folder)) {
    const scope = join(parent, 'node_modules', SCOPE);
    const names = existsSync(scope) ? readdirSync(scope) : [];
    for (const name of names) if (name.startsWith(PREFIX)) found.add(name.slice(PREFIX.length));
  }
  return [...found].sort();
}

/**
 * Returns the nearest lock file above `folder` if it has no entry for the package. Returns `undefined` if it has
 * one, or if there is no lock file.
 */
function lockFileWithout(name: string, folder: string): string | undefined {
  for (const parent of ancestors(folder)) {
    const path = join(parent, 'package-lock.json');
    if (existsSync(path))
      return readFileSync(path, 'utf8').includes(`node_modules/${name}"`) ? undefined : path;
  }
  return undefined;
}

function firstLine(cause: unknown): string {
  return String(cause instanceof Error ? cause.message : cause).split('\n', 1)[0] ?? '';
}

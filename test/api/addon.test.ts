import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explain, type LoadFailure } from '../../src/addon.js';
import { temporaryFolder } from '../support/temporary.js';

const temporary = temporaryFolder();

/** Makes a project with the package in it, and without any addon. */
function project(name: string): { root: string; folder: string } {
  const root = join(temporary.path, name);
  const folder = join(root, 'node_modules/autofdo-gen/native/binding');
  mkdirSync(folder, { recursive: true });
  const platforms = ['linux-x64-gnu', 'linux-x64-musl', 'linux-arm64-gnu', 'darwin-arm64'];
  const optionalDependencies = Object.fromEntries(
    platforms.map((platform) => [`@autofdo-gen/binding-${platform}`, '1.0.0']),
  );
  writeFileSync(join(folder, '../../package.json'), JSON.stringify({ optionalDependencies }));
  return { root, folder };
}

/** Returns the report of a loader that finds no addon. */
function missing(folder: string, platform: string): LoadFailure {
  const error = Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  return {
    folder,
    failures: [
      { platform, request: join(folder, `autofdo-gen.${platform}.node`), error },
      { platform, request: `@autofdo-gen/binding-${platform}`, error },
    ],
  };
}

describe('the error of an addon that cannot be loaded', () => {
  it('tells that a checkout was not built', () => {
    const { folder } = project('checkout');
    mkdirSync(join(folder, '../crates'));
    const { message, hint } = explain(missing(folder, 'linux-x64-gnu'), 'linux-x64-gnu');
    expect(message).toContain(join(folder, 'autofdo-gen.linux-x64-gnu.node'));
    expect(hint).toContain('npm run build:native');
  });

  it('tells that no addon is published for the platform', () => {
    const { folder } = project('platform');
    const { message, hint } = explain(missing(folder, 'freebsd-x64'), 'freebsd-x64');
    expect(message).toMatch(
      /no native addon for freebsd-x64; packages exist for linux-x64-gnu, linux-x64-musl,/,
    );
    expect(hint).toContain('a machine of one of these platforms');
  });

  it('tells that node_modules was installed on another platform', () => {
    const { root, folder } = project('copied');
    mkdirSync(join(root, 'node_modules/@autofdo-gen/binding-darwin-arm64'), { recursive: true });
    const { message, hint } = explain(missing(folder, 'linux-arm64-gnu'), 'linux-arm64-gnu');
    expect(message).toContain('@autofdo-gen/binding-linux-arm64-gnu');
    expect(message).toContain('that of darwin-arm64 is');
    expect(hint).toContain('Delete it, and run `npm install` on this one');
  });

  it('tells that the lock file was made on another platform', () => {
    const { root, folder } = project('lock');
    const lock = join(root, 'package-lock.json');
    writeFileSync(lock, JSON.stringify({ packages: { 'node_modules/@autofdo-gen/binding-darwin-x64': {} } }));
    const { message, hint } = explain(missing(folder, 'linux-x64-musl'), 'linux-x64-musl');
    expect(message).toContain(`as ${lock} does not list it`);
    expect(hint).toContain(`Delete ${lock} and node_modules`);
  });

  it('tells that npm was told to leave the addon out', () => {
    const { root, folder } = project('omitted');
    writeFileSync(
      join(root, 'package-lock.json'),
      JSON.stringify({ packages: { 'node_modules/@autofdo-gen/binding-linux-x64-gnu': {} } }),
    );
    const { message, hint } = explain(missing(folder, 'linux-x64-gnu'), 'linux-x64-gnu');
    expect(message).toMatch(/binding-linux-x64-gnu, which has the native addon, is not installed$/);
    expect(hint).toContain('--include=optional');
  });

  it('tells why the system cannot load an addon that is there', () => {
    const { folder } = project('broken');
    const { failures } = missing(folder, 'linux-x64-gnu');
    const error = Object.assign(new Error("version `GLIBC_2.17' not found\nRequire stack:"), {
      code: 'ERR_DLOPEN_FAILED',
    });
    const request = '@autofdo-gen/binding-linux-x64-gnu';
    const broken = { folder, failures: [...failures, { platform: 'linux-x64-gnu', request, error }] };
    const { message } = explain(broken, 'linux-x64-gnu');
    expect(message).toBe(
      "the native addon @autofdo-gen/binding-linux-x64-gnu could not be loaded: version `GLIBC_2.17' not found",
    );
  });
});

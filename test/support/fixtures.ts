import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../fixtures/', import.meta.url));

/** A recorded program with the profile that llvm-profgen makes of the recording. */
export interface Fixture {
  name: string;
  folder: string;
  /** File name of the profiled program. */
  binary: string;
  perfData: string;
}

/** Returns the path of a file of this fixture. */
export function fixturePath(fixture: Fixture, name: string): string {
  return join(fixture.folder, name);
}

/** Returns the fixture in the folder with this name. */
export function fixture(name: string): Fixture {
  const folder = join(ROOT, name);
  const perfData = join(folder, 'perf.data');
  return { name, folder, binary: join(folder, binaryName(folder)), perfData };
}

/** Returns all fixtures. */
export function allFixtures(): Fixture[] {
  return readdirSync(ROOT)
    .filter((name) => existsSync(join(ROOT, name, 'perf.data')))
    .map(fixture);
}

/** Returns the name of the program. It is the one that the recorded commands give to llvm-profgen. */
function binaryName(folder: string): string {
  const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8');
  return /--binary=(\S+)/.exec(manifest)?.[1] ?? '';
}

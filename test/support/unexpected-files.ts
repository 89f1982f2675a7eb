import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fixture } from './fixtures.js';
import { PerfDataBuilder } from './perf-data-builder.js';
import type { temporaryFolder } from './temporary.js';

/** Files that are not what a job expects, by what they are, and a good profile. */
export function unexpectedFiles(folder: ReturnType<typeof temporaryFolder>) {
  const calc = fixture('calc-x86_64');
  const profile = join(calc.binary, '..', 'expected.afdo');
  mkdirSync(join(folder.path, 'folder'));
  const files: Record<string, string> = {
    'a profile': profile,
    'a text profile': folder.write('a.prof', 'main:9:1\n 1: 9\n'),
    'text with a bracket': folder.write('b.prof', '[]:9:3\n'),
    'text with a long line offset': folder.write('c.prof', 'main:9:1\n 70000: 9\n'),
    'a damaged text': folder.write('d.prof', 'main:9:1\n 1: nine\n'),
    'an ELF file': calc.binary,
    'a recording': calc.perfData,
    'a gzip file': folder.write('e.gz', gzipSync('main:9:1\n')),
    'an empty file': folder.write('f', ''),
    'a cut recording': folder.write('g.data', readFileSync(calc.perfData).subarray(0, 90)),
    'a recording without events': folder.write('h.data', new PerfDataBuilder().file()),
    'a cut profile': folder.write('i.afdo', readFileSync(profile).subarray(0, 300)),
    'a damaged shard': folder.write('j.parquet', 'PAR1 and no more of it PAR1'),
    'a folder': join(folder.path, 'folder'),
    'a missing file': join(folder.path, 'missing'),
  };
  return { files, profile };
}

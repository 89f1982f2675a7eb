import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fixture } from './fixtures.js';
import { PerfDataBuilder } from './perf-data-builder.js';
import type { temporaryFolder } from './temporary.js';

/** Makes files that a job does not expect, by their kind, and a good profile. */
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
    'a debug file': folder.write('l.debug', withoutCode(readFileSync(calc.binary))),
    'a gzip file': folder.write('e.gz', gzipSync('main:9:1\n')),
    'an empty file': folder.write('f', ''),
    'a cut recording': folder.write('g.data', readFileSync(calc.perfData).subarray(0, 90)),
    'a recording that is cut after its first mapping': folder.write(
      'k.data',
      readFileSync(calc.perfData).subarray(0, 3000),
    ),
    'a recording without events': folder.write('h.data', new PerfDataBuilder().file()),
    'a cut profile': folder.write('i.afdo', readFileSync(profile).subarray(0, 300)),
    'a damaged shard': folder.write('j.parquet', 'PAR1 and no more of it PAR1'),
    'a folder': join(folder.path, 'folder'),
    'a missing file': join(folder.path, 'missing'),
  };
  return { files, profile };
}

/**
 * Returns a 64-bit ELF file without its code, as `objcopy --only-keep-debug` makes it: its executable sections are
 * `SHT_NOBITS`.
 */
function withoutCode(elf: Buffer): Buffer {
  const [SHT_NOBITS, SHF_EXECINSTR] = [8, 4n];
  const bytes = Buffer.from(elf);
  const [table, size, count] = [
    Number(bytes.readBigUInt64LE(0x28)),
    bytes.readUInt16LE(0x3a),
    bytes.readUInt16LE(0x3c),
  ];
  for (let at = table; at < table + size * count; at += size) {
    if ((bytes.readBigUInt64LE(at + 8) & SHF_EXECINSTR) !== 0n) bytes.writeUInt32LE(SHT_NOBITS, at + 4);
  }
  return bytes;
}

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { report } from 'autofdo-gen';
import { describe, expect } from 'vitest';
import { fixture } from '../support/fixtures.js';
import { temporaryFolder } from '../support/temporary.js';
import { testWith } from './tools.js';

const { path: folder } = temporaryFolder();

/** A function in the output of llvm-symbolizer. */
interface Start {
  name: string;
  file: string;
  line: number;
}

/**
 * Returns the functions that llvm-symbolizer finds at the symbols of a program: functions with code, and functions
 * that are inlined at their start.
 */
function starts(binary: string): Start[] {
  const symbols = spawnSync('nm', ['--defined-only', binary], { encoding: 'utf8' }).stdout;
  const addresses = [...symbols.matchAll(/^([0-9a-f]+) [tTwW] /gm)].map(([, address]) => `0x${address}`);
  const printed = spawnSync(
    'llvm-symbolizer-22',
    ['--output-style=JSON', '--no-demangle', `--obj=${binary}`],
    { input: `${addresses.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28 },
  ).stdout;
  const found = new Map<string, Start>();
  for (const line of printed.trim().split('\n')) {
    const { Symbol: frames = [] } = JSON.parse(line) as {
      Symbol?: { FunctionName: string; StartFileName: string; StartLine: number }[];
    };
    for (const { FunctionName: name, StartFileName: file, StartLine } of frames) {
      // Names with a suffix of gcc, for example .cold, are from the symbol table.
      if (file !== '' && StartLine > 0 && !/\.(cold|constprop|part|isra)/.test(name))
        found.set(name, { name, file: posix.normalize(file), line: StartLine });
    }
  }
  return [...found.values()];
}

describe('functions are declared where llvm-symbolizer says', () => {
  for (const name of [
    'calc-x86_64',
    'calc-aarch64',
    'calc-dwarf4',
    'calc-gcc',
    'calc-split-dwp',
    'calc-zstd',
    'shapes-cpp',
    'life-rust',
  ]) {
    testWith(['llvm-symbolizer-22', 'nm'], name, async () => {
      const { binary } = fixture(name);
      const expected = starts(binary);
      expect(expected.length).toBeGreaterThan(4);
      const profile = join(folder, `${name}.prof`);
      writeFileSync(profile, expected.map((start) => `${start.name}:1:1\n 0: 1\n`).join(''));
      const { profiles } = await report({ profile, binary });
      const places = profiles[0]?.places;
      const found = expected.map((start) => ({ name: start.name, ...places?.get(start.name) }));
      expect(found).toEqual(expected);
    });
  }
});

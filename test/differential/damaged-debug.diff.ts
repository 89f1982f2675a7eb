import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { generateProfile } from '../../src/index.js';
import { AUTOFDO, CLANG } from './compilers.js';
import { recorded } from './program.js';
import { testWith } from './tools.js';

/** Two units, so that damage to one leaves a profile of the other. */
const sources = '$programs/codec.c $programs/codec-main.c';
const KINDS = ['cut', 'zeroed', 'absent'] as const;

interface Section {
  name: string;
  header: number;
}

/** Returns the debug sections of a 64-bit ELF file. */
function debugSections(file: Buffer): Section[] {
  const number = (at: number) => Number(file.readBigUInt64LE(at));
  const headers = number(0x28);
  const names = number(headers + file.readUInt16LE(0x3e) * 64 + 0x18);
  const sections: Section[] = [];
  for (let index = 0; index < file.readUInt16LE(0x3c); index++) {
    const header = headers + index * 64;
    const start = names + file.readUInt32LE(header);
    const name = file.toString('latin1', start, file.indexOf(0, start));
    if (name.startsWith('.debug_')) sections.push({ name, header });
  }
  return sections;
}

/**
 * Returns an offset just before the middle of a section. Units of equal size meet at the middle, and a cut there
 * could not be told from code without debug information.
 */
const half = (size: number) => Math.floor(size / 2) - 1;

function damaged(file: Buffer, { header }: Section, kind: (typeof KINDS)[number]): Buffer {
  const copy = Buffer.from(file);
  const start = Number(copy.readBigUInt64LE(header + 0x18));
  const size = Number(copy.readBigUInt64LE(header + 0x20));
  if (kind === 'cut') copy.writeBigUInt64LE(BigInt(half(size)), header + 0x20);
  if (kind === 'zeroed') copy.fill(0, start, start + size);
  if (kind === 'absent') copy.fill(0, header, header + 8);
  return copy;
}

interface Result {
  bytes?: string;
  warnings: string[];
}

async function profile(folder: string, strict: boolean): Promise<Result> {
  try {
    const { bytes, diagnostics } = await generateProfile({
      binary: join(folder, 'program'),
      perfData: join(folder, 'perf.data'),
      format: 'text',
      strict,
    });
    const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
    return {
      bytes: Buffer.from(bytes ?? new Uint8Array()).toString(),
      warnings: warnings.map(({ message }) => message),
    };
  } catch (error) {
    return { warnings: [String(error)] };
  }
}

describe('damaged debug sections give the right profile, a warning or an error', () => {
  const split = (compiler: string) =>
    `cp $programs/codec* . && ${compiler} -gsplit-dwarf -c codec.c codec-main.c && ${compiler} codec.o codec-main.o -o program`;
  const builds = [
    ['clang, DWARF 5', `${CLANG} ${AUTOFDO} -gdwarf-5 ${sources} -o program`],
    ['clang, DWARF 4', `${CLANG} ${AUTOFDO} -gdwarf-4 ${sources} -o program`],
    ['gcc, DWARF 5', `gcc -O2 -gdwarf-5 ${sources} -o program`],
    ['gcc, DWARF 4', `gcc -O2 -gdwarf-4 ${sources} -o program`],
    ['clang, split DWARF 5', split(`${CLANG} ${AUTOFDO} -gdwarf-5`)],
    ['clang, split DWARF 4', split(`${CLANG} ${AUTOFDO} -gdwarf-4`)],
    ['gcc, split DWARF 5', split('gcc -O2 -gdwarf-5')],
    ['gcc, split DWARF 4', split('gcc -O2 -gdwarf-4')],
    [
      'clang, a package of split DWARF 5',
      `${split(`${CLANG} ${AUTOFDO} -gdwarf-5`)} && llvm-dwp-22 -e program -o program.dwp && rm *.dwo`,
    ],
  ] as const;
  const wrong: string[] = [];
  for (const [name, build] of builds) {
    testWith(['clang-22', 'gcc', 'llvm-dwp-22'], name, async () => {
      const { folder } = recorded({ name: `damaged-${name.replace(/\W+/g, '-')}`, build: [build] });
      const right = await profile(folder, true);
      expect(right.bytes).toMatch(/^encode|\nencode|:\d+:\d+\n/);
      const outcomes = new Map<string, number>();
      const files = readdirSync(folder).filter((file) => /^program(\.dwp)?$|\.dwo$/.test(file));
      for (const file of files) {
        const path = join(folder, file);
        const whole = readFileSync(path);
        for (const section of debugSections(whole)) {
          for (const kind of KINDS) {
            writeFileSync(path, damaged(whole, section, kind));
            const loose = await profile(folder, false);
            const strict = await profile(folder, true);
            const isNews = (warning: string) => !right.warnings.includes(warning);
            const outcome =
              loose.bytes === right.bytes
                ? 'right'
                : loose.bytes === undefined
                  ? 'error'
                  : loose.warnings.some(isNews)
                    ? 'warning'
                    : 'wrong';
            const isRefused = strict.bytes === undefined || strict.bytes === right.bytes;
            outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
            if (outcome === 'wrong' || !isRefused) {
              wrong.push(
                `${name}: ${file}: ${section.name} ${kind}: ${outcome}${isRefused ? '' : ', with strict too'}`,
              );
            }
          }
        }
        writeFileSync(path, whole);
      }
      expect(wrong.splice(0)).toEqual([]);
      // A test whose damage has no effect would test nothing.
      expect((outcomes.get('warning') ?? 0) + (outcomes.get('error') ?? 0)).toBeGreaterThan(12);
    });
  }
});

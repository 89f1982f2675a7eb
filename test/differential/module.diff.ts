import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { compareTraces, expectSame } from './compare.js';
import { llvmProfgen, ours } from './generators.js';
import { folderOf } from './program.js';
import { run, shell, testWith } from './tools.js';

// A folder that test/recorder/record-kernel.sh filled with modules=...: modules with DWARF, a perf.data, and a log
// with the facts of the guest's kernel about its modules.
const given = process.env['AUTOFDO_KERNEL_DIR'] ?? '/AUTOFDO_KERNEL_DIR-is-not-set';
const modules = join(given, 'modules');
const tools = [join(modules, 'order'), join(given, 'perf.data'), 'ld', 'readelf'];
// The module that was loaded last is the one that the load used.
const name = existsSync(modules)
  ? (readFileSync(join(modules, 'order'), 'utf8').trim().split('\n').at(-1) ?? '')
  : '';

/** Address at which llvm-profgen's copy of the module begins. */
const BASE = 0x100000;

interface Symbol {
  /** Offset of the symbol from the module's base address. */
  offset: number;
  name: string;
}

/** Returns the code symbols of the module in the guest's /proc/kallsyms. */
function guestSymbols(): Symbol[] {
  const log = readFileSync(join(given, 'serial.log'), 'utf8');
  const base = log.match(new RegExp(`^module=${name} \\d+ 0x([0-9a-f]+)`, 'm'))?.[1];
  const lines = log.matchAll(new RegExp(`^symbol=([0-9a-f]+) [tT] (\\S+) \\[${name}\\]`, 'gm'));
  return [...lines].map(([, address, symbol]) => ({
    offset: Number(BigInt(`0x${address}`) - BigInt(`0x${base}`)),
    name: symbol ?? '',
  }));
}

/**
 * Links a copy of the module with GNU ld, because llvm-profgen refuses relocatable files. Each code section lies
 * where the kernel's loader puts it: in the order of the headers, each aligned, and sections for initialization
 * apart from the others.
 */
function link(folder: string): void {
  const headers = run('readelf', ['-SW', `${name}.ko`], folder).stdout;
  const sections = [...headers.matchAll(/\] (\S+) +PROGBITS +\S+ \S+ (\S+) \S+ +AX +\d+ +\d+ +(\d+)$/gm)];
  const place = (wanted: (section: string) => boolean, base: number) => {
    let end = base;
    return sections
      .filter(([, section = '']) => wanted(section))
      .map(([, section, size, alignment]) => {
        const start = Math.ceil(end / Number(alignment)) * Number(alignment);
        end = start + Number.parseInt(size ?? '', 16);
        return `${section} ${start} : { *(${section}) }`;
      });
  };
  const isInit = (section: string) => section.startsWith('.init');
  const script = [
    'SECTIONS {',
    ...place((section) => !isInit(section), BASE),
    ...place(isInit, 0x8000000),
    '/DISCARD/ : { *(.discard*) *(.note.GNU-stack) }',
    '}',
  ];
  writeFileSync(join(folder, 'module.ld'), script.join('\n'));
  shell(
    `ld -e 0 --no-relax --unresolved-symbols=ignore-all --noinhibit-exec -T module.ld -o linked ${name}.ko`,
    folder,
  );
}

function prepare(test: string): string {
  const folder = folderOf({ name: `module-${test}`, build: [] });
  symlinkSync(join(modules, `${name}.ko`), join(folder, `${name}.ko`));
  symlinkSync(join(given, 'perf.data'), join(folder, 'perf.data'));
  link(folder);
  return folder;
}

describe('kernel module', () => {
  for (const format of ['text', 'extbinary']) {
    testWith(tools, `${format}, from our counters`, () => {
      const folder = prepare(format);
      const module = [`--binary=${name}.ko`, '--perfdata=perf.data'];
      const counters = ours(folder, [...module, '--skip-symbolization']);
      writeFileSync(join(folder, 'counters'), counters.output ?? '');
      const flags = [`--format=${format}`];
      const theirs = llvmProfgen(folder, ['--binary=linked', '--unsymbolized-profile=counters', ...flags]);
      expectSame(ours(folder, [...module, ...flags]), theirs, format === 'text');
      expect(theirs.output?.length, 'the module has samples').toBeGreaterThan(500);
    });
  }

  testWith(tools, 'from traces', () => {
    compareTraces(prepare('traces'), 'perf.data', [`--binary=${name}.ko`]);
  });

  testWith(tools, 'has each function at its address in /proc/kallsyms', () => {
    const folder = prepare('kallsyms');
    const symbols = guestSymbols();
    expect(symbols.length, 'kallsyms has symbols of the module').toBeGreaterThan(50);
    const starts = [...new Set(symbols.map(({ offset }) => offset))].sort((a, b) => a - b);
    // The first address is called once, the second one twice, and so on, so a count tells its address.
    const times = new Map(starts.map((offset, index) => [offset, index + 1]));
    const lines = (counter: (offset: string) => string) =>
      [starts.length, ...starts.map((offset) => `${counter(offset.toString(16))}:${times.get(offset)}`)].join(
        '\n',
      );
    const counters = `${lines((offset) => `${offset}-${offset}`)}\n${lines((offset) => `${offset}->${offset}`)}\n`;
    writeFileSync(join(folder, 'counters'), counters);
    const flags = ['--unsymbolized-profile=counters', '--format=text'];
    const outcome = ours(folder, [`--binary=${name}.ko`, ...flags]);
    expectSame(outcome, llvmProfgen(folder, ['--binary=linked', ...flags]), true);

    const called = new Map<string, number>();
    for (const [, found = '', head] of (outcome.output?.toString() ?? '').matchAll(/^(\S+):\d+:(\d+)$/gm))
      called.set(found, Number(head));
    // LLVM takes `f.part.0` for `f`; other parts that compilers split off (`f.cold`) are never called. Functions
    // that gcc made aliases of other functions have no code in DWARF, so llvm-profgen finds none either.
    const canonical = symbols.map(({ name, offset }) => ({ name: name.replace(/\.part\.\d+$/, ''), offset }));
    const whole = canonical.filter(({ name }) => !name.includes('.') && called.has(name));
    expect(whole.length).toBeGreaterThan(50);
    const expected = new Map<string, number>();
    for (const { name, offset } of whole)
      expected.set(name, (expected.get(name) ?? 0) + (times.get(offset) ?? 0));
    for (const [found, head] of expected) expect(`${found}: ${called.get(found)}`).toBe(`${found}: ${head}`);
  });

  testWith(tools, 'is found by its name, as all mapped modules are', () => {
    const all = readdirSync(modules).filter((file) => file.endsWith('.ko'));
    expect(all).toContain(`${name}.ko`);
    for (const file of all) {
      const options = [`--binary=${join(modules, file)}`, '--perfdata=perf.data', '--skip-symbolization'];
      const outcome = ours(prepare(`all-${file}`), options);
      expect(outcome.stderr).not.toContain('the recording has no mapping of');
    }
  });
});

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './tools.js';

/** Numbers of units, with the names of `CompilerFacts`. */
export interface UnitCounts {
  name: string;
  language: string;
  dwarfVersion: number;
  units: number;
  withLines: number;
  withDiscriminators: number;
  withFunctions: number;
  withDeclarationLines: number;
  withTypes: number;
}

interface Die {
  tag: string;
  attributes: Map<string, string>;
}

interface Unit {
  version: number;
  root: Die;
  dies: Die[];
}

const TYPES = new Set(
  ['base_type', 'structure_type', 'pointer_type', 'formal_parameter', 'variable'].map(
    (tag) => `DW_TAG_${tag}`,
  ),
);

/**
 * Returns the facts of a file's units from llvm-dwarfdump's output, counted for each compiler as the doctor counts
 * them.
 */
export function compilersByDwarfdump(
  folder: string,
  file: string,
  splitFiles: readonly string[] = [],
): UnitCounts[] {
  const lines = lineTables(folder, file);
  const counts = new Map<string, UnitCounts>();
  const units = readUnits(folder, file);
  const halves = splitFiles.flatMap((split) => readUnits(folder, split));
  for (const unit of units) {
    if (unit.root.tag === 'DW_TAG_type_unit') continue;
    const lineTable = lines.get(Number(unit.root.attributes.get('stmt_list') ?? -1));
    if (unit.root.tag !== 'DW_TAG_skeleton_unit') {
      count(counts, unit, lineTable);
      continue;
    }
    const name = unit.root.attributes.get('dwo_name');
    const half = halves.find(({ root }) => root.attributes.get('dwo_name') === name);
    if (half) count(counts, half, lineTable);
  }
  return [...counts.values()];
}

/** Returns the number of line tables with rows, and the number of discriminators. */
export function lineTableCounts(folder: string, file: string): { rows: number; discriminators: number } {
  const tables = [...lineTables(folder, file).values()];
  return {
    rows: tables.filter(({ rows }) => rows).length,
    discriminators: tables.filter(({ discriminators }) => discriminators).length,
  };
}

/** Returns only the compilers with their numbers of units, because a large file allows no more. */
export function unitCounts(folder: string, file: string) {
  const counts = new Map<string, UnitCounts>();
  for (const unit of readUnits(folder, file, ['--recurse-depth=0'])) count(counts, unit);
  return [...counts.values()].map(
    ({ name, language, dwarfVersion, units }) => ({ name, language, dwarfVersion, units }) as UnitCounts,
  );
}

/**
 * Returns for each line table, by offset, whether it has rows and discriminators. Discriminators of pseudo probes
 * have their low three bits set.
 */
function lineTables(folder: string, file: string): Map<number, { rows: boolean; discriminators: boolean }> {
  const tables = new Map<number, { rows: boolean; discriminators: boolean }>();
  let current = { rows: false, discriminators: false };
  // A kernel's tables are long. One row for each discriminator of a table is enough.
  const rows = '/^debug_line/ { delete seen; print } /^0x/ && !seen[$6]++';
  for (const line of dwarfdump(folder, ['--debug-line', file], `| awk '${rows}'`)) {
    const table = /^debug_line\[(0x[0-9a-f]+)\]/.exec(line);
    if (table) {
      current = { rows: false, discriminators: false };
      tables.set(Number(table[1]), current);
    }
    const row = /^0x[0-9a-f]+ +\d+ +\d+ +\d+ +\d+ +(\d+)/.exec(line);
    if (!row) continue;
    current.rows = true;
    const discriminator = Number(row[1]);
    const probe = discriminator % 8 === 7 && discriminator > 7;
    if (discriminator !== 0 && !probe) current.discriminators = true;
  }
  return tables;
}

function readUnits(folder: string, file: string, flags: readonly string[] = []): Unit[] {
  if (!existsSync(join(folder, file))) return [];
  const units: Unit[] = [];
  let version = 0;
  let die: Die | undefined;
  for (const line of dwarfdump(folder, ['--debug-info', ...flags, file])) {
    const header = /^0x[0-9a-f]+: .* version = (0x[0-9a-f]+)/.exec(line);
    if (header) version = Number(header[1]);
    const start = /^0x[0-9a-f]+:( +)(DW_TAG_\w+)/.exec(line);
    if (start) {
      die = { tag: start[2] ?? '', attributes: new Map() };
      if (start[1] === ' ') units.push({ version, root: die, dies: [] });
      else units.at(-1)?.dies.push(die);
    }
    const attribute = /^ +DW_AT_(?:GNU_(?=dwo))?(\w+)\t\((.*)\)$/.exec(line);
    if (attribute && die) die.attributes.set(attribute[1] ?? '', (attribute[2] ?? '').replace(/^"|"$/g, ''));
  }
  return units;
}

function count(
  all: Map<string, UnitCounts>,
  { version, root, dies }: Unit,
  lines = { rows: false, discriminators: false },
): void {
  const name = (root.attributes.get('producer') ?? '').replace(/ [-/].*/, '');
  const language = (root.attributes.get('language') ?? '').replace('DW_LANG_', '');
  const key = `${name} ${language} ${version}`;
  const zero = { units: 0, withLines: 0, withDiscriminators: 0, withFunctions: 0, withDeclarationLines: 0 };
  const counts = all.get(key) ?? {
    ...{ name, language, dwarfVersion: version },
    ...{ ...zero, withTypes: 0 },
  };
  all.set(key, counts);
  const subprograms = dies.filter(({ tag }) => tag === 'DW_TAG_subprogram');
  const has = (die: Die, name: string) => die.attributes.has(name);
  const functions = subprograms.filter(
    (die) => has(die, 'name') && !has(die, 'declaration') && !has(die, 'artificial'),
  );
  counts.units += 1;
  counts.withLines += Number(lines.rows);
  counts.withDiscriminators += Number(lines.discriminators);
  counts.withFunctions += Number(functions.length > 0);
  counts.withDeclarationLines += Number(functions.some((die) => has(die, 'decl_line')));
  counts.withTypes += Number(dies.some(({ tag }) => TYPES.has(tag)));
}

function dwarfdump(folder: string, args: readonly string[], filter = ''): string[] {
  const line = `set -o pipefail; llvm-dwarfdump-22 "$@" ${filter}`;
  const { status, stdout, stderr } = run('bash', ['-c', line, 'bash', ...args], folder);
  if (status !== 0) throw new Error(`llvm-dwarfdump-22 ${args.join(' ')}: ${stderr}`);
  return stdout.split('\n');
}

/**
 * Returns build id, machine, compression of debug sections and number of code symbols from the output of binutils'
 * readelf.
 */
export function elfByReadelf(folder: string, file: string) {
  const readelf = (...args: string[]) => run('readelf', ['-W', ...args, file], folder).stdout;
  const header = readelf('-h');
  const sections = [
    ...readelf('-S').matchAll(/^ +\[ *(\d+)\] (\S+) +(\S+) +\S+ +\S+ +(\S+) +\S+ +([A-Zop]*)/gm),
  ].map(([, number, name = '', type = '', size = '', flags = '']) => ({
    number: Number(number),
    name,
    code:
      flags.includes('X') &&
      flags.includes('A') &&
      name !== '.plt' &&
      type !== 'NOBITS' &&
      !/^0+$/.test(size),
    compressed: flags.includes('C'),
  }));
  const code = new Set(sections.filter(({ code }) => code).map(({ number }) => number));
  const symtab = readelf('-s').split("Symbol table '.symtab'")[1] ?? '';
  // The type of a symbol may be `<OS specific>: 10`.
  const symbols = [
    ...symtab.matchAll(/^ *\d+: \S+ +\S+ +(?:<.*>: )?\S+ +\S+ +\S+ +(?:\[.*\] +)?(\d+) ?(.*)$/gm),
  ];
  return {
    buildId: /Build ID: ([0-9a-f]+)/.exec(readelf('-n'))?.[1],
    machine: /Machine: .*X86-64/.test(header)
      ? 'x86-64'
      : /Machine: +AArch64/.test(header)
        ? 'aarch64'
        : undefined,
    compressed: sections.some(({ name, compressed }) => name.startsWith('.debug_') && compressed),
    codeSymbols: symbols.filter(([, section]) => code.has(Number(section))).length,
    flowSensitive: symbols.some(([, , name]) => name === '__llvm_fs_discriminator__'),
    pseudoProbes: sections.some(({ name }) => name === '.pseudo_probe'),
  };
}

/**
 * Writes the source of a C++ program with thousands of functions: units of functions with switches, loops, calls
 * into other units, and inlined templates. The program calls its functions in a random order, so that nearly all
 * of its branch stacks differ, as in servers, browsers and compilers. The text depends only on the two sizes.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from './random.js';

/** Size of the program. */
export interface ProgramSize {
  units: number;
  /** Number of functions in each unit. */
  functions: number;
}

const SEED = 20261129;
/** Number of instances of each template in a unit. */
const INSTANCES = 24;

/**
 * Writes the units into `folder`, and returns their paths. One of them has `main`, which takes the number of
 * rounds.
 */
export function writeLargeProgram(folder: string, size: ProgramSize): string[] {
  mkdirSync(folder, { recursive: true });
  const random = new Random(SEED);
  const texts: [string, string][] = [['main.cpp', mainUnit(size)]];
  for (let unit = 0; unit < size.units; unit++) texts.push([`unit${unit}.cpp`, unitText(unit, size, random)]);
  return texts.map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  });
}

const nameOf = (unit: number, index: number) => `unit${unit}::function${index}`;

function unitText(unit: number, size: ProgramSize, random: Random): string {
  const body: string[] = [];
  const callees = new Set<string>();
  for (let index = 0; index < size.functions; index++) {
    const callee = laterFunction(unit, index, size, random);
    if (callee) callees.add(`namespace unit${callee[0]} { unsigned function${callee[1]}(unsigned x); }`);
    body.push(functionText(unit, index, callee && nameOf(...callee), random));
  }
  const table = Array.from({ length: size.functions }, (_, index) => `function${index}`);
  return [
    ...callees,
    `namespace unit${unit} {`,
    'template <unsigned K> [[gnu::always_inline]] inline unsigned turn(unsigned x) {',
    '  if (x & (1u << (K & 15))) return x * (2 * K + 1) + (x >> 7);',
    '  return (x ^ K) + (x << 3);',
    '}',
    'template <unsigned K> struct Sum {',
    '  [[gnu::always_inline]] static unsigned of(unsigned x) {',
    '    unsigned sum = K;',
    '    for (unsigned i = x & 3; i != 0; i--) sum = turn<K + 1>(sum + i);',
    '    return sum;',
    '  }',
    '};',
    ...body,
    `extern unsigned (*const functions[])(unsigned) = {${table.join(', ')}};`,
    '}',
    '',
  ].join('\n');
}

/**
 * Returns a function that the given function may call. Functions call only later functions, so that every chain of
 * calls ends.
 */
function laterFunction(
  unit: number,
  index: number,
  size: ProgramSize,
  random: Random,
): [number, number] | null {
  const own = unit * size.functions + index;
  const later = size.units * size.functions - own - 1;
  if (later === 0) return null;
  const callee = own + 1 + random.below(later);
  return [Math.floor(callee / size.functions), callee % size.functions];
}

function functionText(unit: number, index: number, callee: string | null, random: Random): string {
  const cases = 3 + random.below(5);
  const lines = [
    `unsigned function${index}(unsigned x) {`,
    `  unsigned sum = x * 2654435761u + ${unit * 65536 + index};`,
    `  switch ((x >> 4) % ${cases + 1}) {`,
  ];
  for (let at = 0; at < cases; at++) {
    const bit = random.below(20);
    const [first, second] = [random.below(INSTANCES), random.below(INSTANCES)];
    lines.push(
      `    case ${at}:`,
      `      if (sum & ${2 ** bit}u) sum ^= turn<${first}>(sum);`,
      `      else sum += ${random.below(6) === 0 ? `Sum<${second}>::of(sum)` : `x >> ${second}`};`,
      '      break;',
    );
  }
  lines.push('    default:', `      sum -= ${1 + random.below(1000)};`, '  }');
  if (callee)
    lines.push(`  if (sum & ${2 ** random.below(16)}u) sum += ${callee}(sum >> ${random.below(8)});`);
  lines.push('  return sum;', '}');
  return lines.join('\n');
}

function mainUnit({ units, functions }: ProgramSize): string {
  const names = Array.from({ length: units }, (_, unit) => `unit${unit}`);
  return [
    ...names.map((name) => `namespace ${name} { extern unsigned (*const functions[])(unsigned); }`),
    '#include <cstdint>',
    '#include <cstdio>',
    '#include <cstdlib>',
    `static unsigned (*const *const tables[])(unsigned) = {${names.map((name) => `${name}::functions`).join(', ')}};`,
    'int main(int argc, char **argv) {',
    '  unsigned long rounds = argc > 1 ? strtoul(argv[1], nullptr, 10) : 1;',
    `  uint64_t state = ${SEED};`,
    '  unsigned sum = 0;',
    `  for (unsigned long call = 0; call < rounds * ${units * functions}ul; call++) {`,
    '    state = state * 6364136223846793005u + 1442695040888963407u;',
    '    unsigned random = unsigned(state >> 33);',
    `    sum += tables[random % ${units}][random / ${units} % ${functions}](random ^ sum);`,
    '  }',
    '  printf("%u\\n", sum);',
    '}',
    '',
  ].join('\n');
}

/**
 * Returns the C source of `count` functions that call each other: with loops, switches, calls through a table, and
 * static functions that are small enough to be inlined. Many of the functions never run.
 */
export function manyFunctions(count: number): string {
  let state = 1;
  const random = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 16) % limit;
  };
  const names = Array.from({ length: count }, (_, i) => `function_${i}`);
  const lines = ['#include <stdio.h>', 'static unsigned budget;', 'typedef unsigned (*callee)(unsigned);'];
  for (const name of names) lines.push(`unsigned ${name}(unsigned n);`);
  const table = Array.from({ length: 16 }, () => names[random(count)]);
  lines.push(`static const callee table[16] = { ${table.join(', ')} };`);

  names.forEach((name, i) => {
    const other = () => names[random(count)];
    lines.push(
      `static unsigned helper_${i}(unsigned n)`,
      '{',
      `\tunsigned sum = n;`,
      `\tfor (unsigned k = 0; k < n % ${2 + random(6)}; k++)`,
      `\t\tsum = sum * ${3 + random(90)} + k;`,
      '\treturn sum;',
      '}',
      `unsigned ${name}(unsigned n)`,
      '{',
      `\tunsigned value = helper_${i}(n + ${random(100)});`,
      '\tif (!budget)',
      '\t\treturn value;',
      '\tbudget--;',
      `\tswitch (value % ${4 + random(8)}) {`,
    );
    for (let label = 0; label < 4; label++) {
      const call = random(3) === 0 ? `table[value % 16](value)` : `${other()}(value >> ${random(4)})`;
      lines.push(`\tcase ${label}: value += ${call}; break;`);
    }
    lines.push(`\tdefault: value ^= helper_${i}(value);`, '\t}', '\treturn value;', '}');
  });

  lines.push(
    'int main(void)',
    '{',
    '\tunsigned sum = 0;',
    '\tfor (unsigned round = 0; round < 3000; round++) {',
    '\t\tbudget = 40;',
    '\t\tsum = sum * 31 + table[round % 16](round);',
    '\t}',
    '\tprintf("%08x\\n", sum);',
    '\treturn 0;',
    '}',
  );
  return lines.join('\n');
}

/** Yields pseudo-random numbers, the same in each run (Numerical Recipes, `ranqd1`). */
function* chance(): Generator<number, never> {
  for (let state = 1; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

/**
 * Writes a text profile of `count` functions. Each has some twenty lines, calls, and inlined code; some names are
 * mangled.
 */
export function largeProfile(count: number): string {
  const random = chance();
  const next = (limit: number) => Math.floor(random.next().value * limit);
  const name = (index: number) =>
    index % 3 === 0
      ? `_ZN5large${String(index).length + 4}part${index}${'7compute'}Ei`
      : `large_function_${index}`;
  const texts: string[] = [];
  for (let index = 0; index < count; index++) {
    const weight = Math.ceil(1_000_000 / (index + 1));
    const lines: string[] = [];
    let total = 0;
    for (let line = 1; line <= 14; line++) {
      const samples = weight + next(weight);
      total += samples;
      const call =
        line % 5 === 0 ? ` ${name(next(count))}:${weight} ${name(next(count))}:${Math.ceil(weight / 3)}` : '';
      lines.push(` ${line * 2}${line % 4 === 0 ? `.${line}` : ''}: ${samples}${call}\n`);
    }
    const inner = [1, 2, 3].map((line) => `  ${line}: ${weight + line}\n`);
    const inlined = weight * 3 + 6;
    total += inlined;
    lines.push(` 40: inlined_${next(500)}:${inlined}\n${inner.join('')}`);
    texts.push(`${name(index)}:${total}:${weight}\n${lines.join('')}`);
  }
  return texts.join('');
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addCounts, formatCount, formatRatio } from '../../page/count.js';
import { follow, layOut, namespaces, type Part, pathToLargest } from '../../page/hierarchy.js';
import { highlightLines } from '../../page/highlight.js';
import { codeLines, stretches } from '../../page/lines.js';
import { profileIds } from '../../page/model.js';
import { hrefTo, parseRoute } from '../../page/route.js';

describe('numbers', () => {
  it('are not shown as 0 % or 100 % if they are neither', () => {
    const shares = [0, 0.000_01, 0.001, 0.1234, 0.5, 0.9999, 1].map(formatRatio);
    expect(shares).toEqual(['0 %', '<0.01 %', '0.10 %', '12.3 %', '50.0 %', '>99.9 %', '100 %']);
  });

  it('are shown with all digits', () => {
    expect(formatCount(2n ** 64n - 1n)).toBe('18,446,744,073,709,551,615');
    expect(addCounts(2 ** 53 - 1, 1)).toBe(2n ** 53n);
    expect(addCounts(1, 2)).toBe(3);
  });
});

describe('the namespaces of a name', () => {
  it.each([
    ['main', []],
    [
      'std::vector<int, std::allocator<int> >::push_back(int&&)',
      ['std', 'vector<int, std::allocator<int> >'],
    ],
    ['void ns::sort<int>(int*, int*)', ['ns']],
    ['(anonymous namespace)::f(std::string)', ['(anonymous namespace)']],
    ['core::fmt::Write::write_fmt', ['core', 'fmt', 'Write']],
    ['<alloc::vec::Vec<T> as core::ops::Drop>::drop', ['<alloc::vec::Vec<T> as core::ops::Drop>']],
    ['a::operator<<(a::b&, int)', ['a']],
    ['a::b::operator()(int) const', ['a', 'b']],
    ['x::main::{{closure}}', ['x', 'main']],
  ])('%s', (shown, expected) => {
    expect(namespaces(shown)).toEqual(expected);
  });
});

const part: fc.Memo<Part> = fc.memo((depth) =>
  fc.record({
    key: fc.uuid(),
    label: fc.string(),
    weight: fc.integer({ min: 1, max: 1_000_000 }),
    heat: fc.nat(4),
    parts: depth <= 1 ? fc.constant([]) : fc.array(part(depth - 1), { maxLength: 6 }),
  }),
);

/** Gives each part the weight of its parts. */
function addUp(at: Part): Part {
  const parts = at.parts.map(addUp);
  const inside = parts.reduce((sum, { weight }) => sum + weight, 0);
  return { ...at, parts, weight: parts.length === 0 ? at.weight : inside };
}

describe('the map', () => {
  it('draws each part inside of its parent, and without overlap', () => {
    fc.assert(
      fc.property(part(4).map(addUp), fc.integer({ min: 200, max: 1500 }), (root, width) => {
        const tiles = layOut(root, width, 400);
        for (const tile of tiles) {
          const outer = tiles.find(({ path }) => path.join() === tile.path.slice(0, -1).join());
          const box = outer ?? { x: 0, y: 0, width, height: 400 };
          expect(tile.x).toBeGreaterThanOrEqual(box.x);
          expect(tile.y).toBeGreaterThanOrEqual(box.y);
          expect(tile.x + tile.width).toBeLessThanOrEqual(box.x + box.width);
          expect(tile.y + tile.height).toBeLessThanOrEqual(box.y + box.height);
        }
        for (const [index, a] of tiles.entries()) {
          for (const b of tiles.slice(index + 1)) {
            if (a.depth !== b.depth) continue;
            const beside = a.x + a.width <= b.x || b.x + b.width <= a.x;
            const below = a.y + a.height <= b.y || b.y + b.height <= a.y;
            expect(beside || below).toBe(true);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('draws all small parts as one tile, which leads to them', () => {
    const leaf = (key: string, weight: number): Part => ({ key, label: key, weight, heat: 0, parts: [] });
    const small = Array.from({ length: 5000 }, (_, index) => leaf(`small ${index}`, 2));
    const file = { ...leaf('file', 15_000), parts: [leaf('large', 5000), ...small] };
    const root = { ...leaf('root', 15_000), parts: [file] };
    const tiles = layOut(root, 1000, 500);
    const rest = tiles.at(-1);
    expect(rest?.part.label).toBe('4,801 smaller parts');
    expect(tiles).toHaveLength(1 + 1 + 199 + 1);
    const leaves = tiles.filter(({ isGroup }) => !isGroup);
    const area = leaves.reduce((sum, { width, height }) => sum + width * height, 0);
    expect(area).toBeGreaterThan(1000 * 480 * 0.9);
    const shown = follow(root, rest?.path ?? []).at(-1);
    expect(shown?.parts.map(({ key }) => key)).toEqual(small.slice(199).map(({ key }) => key));
    for (const step of ['…', '…-1', '…0', '…9999', '…1e9', 'none']) {
      expect(follow(root, ['file', step]).at(-1)?.key).toBe('file');
    }
  });

  it('begins at a part with more than one heavy part', () => {
    const leaf = (key: string, weight: number): Part => ({
      key,
      label: key,
      weight,
      heat: 4,
      parts: [],
    });
    const inner = { ...leaf('inner', 95), parts: [leaf('a', 50), leaf('b', 45)] };
    const root = { ...leaf('root', 100), parts: [inner, leaf('c', 5)] };
    expect(pathToLargest(root)).toEqual(['inner']);
    expect(pathToLargest(inner)).toEqual([]);
  });
});

describe('addresses', () => {
  it.each([
    ['a/b#c', 'map', 'files', ['/src', '…12', 'f(int)', '%']],
    ['x', 'function', 'operator/(A, B)', []],
    ['', 'overview', '', []],
  ] as const)('lead to what they were made of: %s %s %s', (profile, view, argument, steps) => {
    const route = parseRoute(hrefTo(profile, view, argument, steps));
    expect(route).toEqual({ profile: profile || undefined, view, argument, steps: [...steps] });
  });

  it('lead to the overview if they are damaged', () => {
    expect(parseRoute('#/%zz/map')).toMatchObject({ profile: undefined, view: 'overview' });
  });
});

describe('profiles', () => {
  it.each([
    [
      ['/a/x', '/b/y'],
      ['x', 'y'],
    ],
    [
      ['/old/app', '/new/app', 'tool'],
      ['old/app', 'new/app', 'tool'],
    ],
    [
      ['/a/bin/app', '/b/bin/app', '/b/sbin/app'],
      ['a/bin/app', 'b/bin/app', 'sbin/app'],
    ],
    [
      ['app', 'app', './app'],
      ['app', 'app (2)', './app'],
    ],
  ])('of %j are told apart by %j', (paths, expected) => {
    const profiles = paths.map((path) => ({ path, name: path.split('/').at(-1) ?? '' }));
    expect(profileIds(profiles)).toEqual(expected);
  });
});

describe('lines of a function', () => {
  const count = (line: number, samples: number, discriminator = 0) => ({
    line,
    discriminator,
    count: samples,
    targets: [],
  });
  const body = { name: 0, total: 9, lines: [count(1, 5), count(1, 7, 2), count(65_535, 1)], inlined: [] };

  it('are in the order of the file, with the largest count of each', () => {
    const lines = codeLines(body, undefined, new Map());
    expect(lines.map(({ number, count: largest }) => [number, largest])).toEqual([
      [-1, 1],
      [1, 7],
    ]);
    const placed = codeLines(body, { file: 'a.c', line: 10 }, new Map());
    expect(placed.map(({ number }) => number)).toEqual([9, 11]);
  });

  it('are hidden far from any count', () => {
    const text = new Map(Array.from({ length: 60 }, (_, index) => [index + 1, `line ${index + 1}`]));
    const far = { ...body, lines: [count(0, 5), count(30, 5)] };
    const lines = codeLines(far, { file: 'a.txt', line: 10 }, new Map([['a.txt', text]]));
    expect(lines.map(({ number }) => number)).toEqual(Array.from({ length: 37 }, (_, index) => index + 7));
    const found = stretches(lines, 10).map((stretch) =>
      'lines' in stretch ? stretch.lines.length : -stretch.hidden.length,
    );
    expect(found).toEqual([7, -23, 7]);
  });

  it('keep their text with colours', () => {
    const text = '/* a\n * b */ int f(void)\n{\n\treturn "x\\n"[0]; // é <b>\n}\n#define A \\\n  1';
    for (const file of ['a.c', 'a.cpp', 'a.rs', 'a.unknown']) {
      const lines = highlightLines(file, text).map((line) => line.map((token) => token.text).join(''));
      expect(lines.join('\n')).toBe(text);
    }
    expect(highlightLines('a.c', 'int x;')[0]).toContainEqual({ kind: 'type', text: 'int' });
  });
});

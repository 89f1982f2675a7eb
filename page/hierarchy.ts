import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { type Count, formatCount, larger } from './count.js';
import type { Body, FunctionRow, Profile } from './model.js';

/** A part of the program: a folder, a namespace, a file, a function, or code that is inlined into one. */
export interface Part {
  /** Tells it apart from its siblings. */
  key: string;
  label: string;
  /** Samples, rounded to what a JavaScript number holds. */
  weight: number;
  /** How hot its largest count is, from 0 to 4. */
  heat: number;
  parts: Part[];
  /** The function that it is. */
  row?: FunctionRow;
  /** The function that is inlined here. */
  inlined?: number;
}

/** What folders of the map are. */
export type Grouping = 'files' | 'namespaces';

/** All functions with code of their own, by where they are declared or by the names around theirs. */
export function programTree(profile: Profile, grouping: Grouping): Part {
  const root = newPart(profile.id, profile.id);
  for (const row of profile.functions) {
    const weight = Number(row.total);
    if (weight === 0) continue;
    let at = root;
    // The last function of a context is the one whose samples these are.
    const own = profile.packed.contextSensitive ? row.shown.split(' @ ').at(-1) : row.shown;
    for (const step of grouping === 'files' ? folders(row) : namespaces(own ?? '')) at = child(at, step);
    at.parts.push({
      key: row.name,
      label: row.shown,
      weight,
      heat: profile.heat(row.max),
      parts: [],
      row,
    });
  }
  return finish(root);
}

function newPart(key: string, label: string): Part {
  return { key, label, weight: 0, heat: 0, parts: [] };
}

const childIndex = new WeakMap<Part, Map<string, Part>>();

function child(parent: Part, step: string): Part {
  const index = childIndex.get(parent) ?? new Map<string, Part>();
  childIndex.set(parent, index);
  let part = index.get(step);
  if (part === undefined) {
    part = newPart(`/${step}`, step);
    index.set(step, part);
    parent.parts.push(part);
  }
  return part;
}

function folders({ place }: FunctionRow): string[] {
  if (place === undefined) return ['(file not known)'];
  const steps = place.file.split('/').filter((step) => step !== '');
  if (place.file.startsWith('/')) steps[0] = `/${steps[0] ?? ''}`;
  return steps;
}

/** `a::b<c::d>::f(e::g)` is in `a` and in `b<c::d>` of it. */
export function namespaces(shown: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < shown.length; at++) {
    const character = shown[at];
    // Operators hold the characters that would be brackets elsewhere.
    if (shown.startsWith('operator', at)) break;
    if (character === '(' && depth === 0 && !shown.startsWith('(anonymous', at)) break;
    if (character === '<' || character === '(' || character === '{' || character === '[') depth++;
    else if (character === '>' || character === ')' || character === '}' || character === ']') depth--;
    // What is before a blank is the type of what the function returns.
    else if (character === ' ' && depth === 0) start = at + 1;
    else if (character === ':' && shown[at + 1] === ':' && depth === 0) {
      if (at > start) found.push(shown.slice(start, at));
      start = at + 2;
      at++;
    }
  }
  return found;
}

/** Adds up, sorts, and joins folders that hold nothing but a folder. */
function finish(part: Part): Part {
  for (const [index, inner] of part.parts.entries()) {
    if (inner.row !== undefined) continue;
    let at = finish(inner);
    const [only] = at.parts;
    if (at.parts.length === 1 && only !== undefined && only.row === undefined) {
      const join = at.label.startsWith('/') || only.key.startsWith('/') ? '/' : '';
      at = { ...only, key: at.key + only.key, label: `${at.label}${join}${only.label}` };
    }
    part.parts[index] = at;
  }
  part.weight = part.parts.reduce((sum, { weight }) => sum + weight, 0);
  part.heat = hottest(part.parts);
  part.parts.sort((a, b) => b.weight - a.weight);
  return part;
}

/** What a function is made of: its own lines, and code that is inlined into it. */
export function inlineTree(profile: Profile, body: Body, label: string, key: string): Part {
  const parts = body.inlined
    .map((call, index) => ({
      ...inlineTree(profile, call.body, profile.shown(call.body.name), `${index}`),
      inlined: call.body.name,
    }))
    .filter(({ weight }) => weight > 0);
  const inside = parts.reduce((sum, { weight }) => sum + weight, 0);
  const own = Number(body.total) - inside;
  const largest = body.lines.reduce<Count>((max, { count }) => larger(max, count), 0);
  const heat = profile.heat(largest);
  if (parts.length > 0 && own > 0) {
    parts.push({ key: 'own', label: 'own lines', weight: own, heat, parts: [], inlined: body.name });
  }
  parts.sort((a, b) => b.weight - a.weight);
  const weight = Math.max(inside, Number(body.total));
  return { key, label, weight, heat: hottest(parts, heat), parts };
}

function hottest(parts: readonly Part[], least = 0): number {
  return parts.reduce((max, { heat }) => Math.max(max, heat), least);
}

/** The way from the root to the part that holds nearly all, and more than one part of it. */
export function wayToMost(root: Part): string[] {
  const way: string[] = [];
  for (let at = root; ; ) {
    const [largest] = at.parts;
    if (largest === undefined || largest.row !== undefined || largest.weight < root.weight * NEARLY_ALL)
      return way;
    way.push(largest.key);
    at = largest;
  }
}

/** What the smaller parts of a part are together, from the one with number `first` on. */
export function smallerParts(part: Part, first: number): Part {
  const parts = part.parts.slice(first);
  const weight = parts.reduce((sum, inner) => sum + inner.weight, 0);
  return {
    key: `${SMALLER}${first}`,
    label: `${formatCount(parts.length)} smaller parts`,
    weight,
    heat: hottest(parts),
    parts,
  };
}

/** Whether a part stands for the smaller parts of another one. */
export function isSmallerParts({ key, row }: Part): boolean {
  return row === undefined && key.startsWith(SMALLER);
}

/** From the root to the part that steps lead to, as far as they do. */
export function follow(root: Part, steps: readonly string[]): Part[] {
  const trail = [root];
  for (const step of steps) {
    const at = trail.at(-1) ?? root;
    const first = step.startsWith(SMALLER) ? Number(step.slice(SMALLER.length)) : 0;
    const next =
      at.parts.find(({ key }) => key === step) ??
      (Number.isSafeInteger(first) && first > 0 && first < at.parts.length
        ? smallerParts(at, first)
        : undefined);
    if (next === undefined) break;
    trail.push(next);
  }
  return trail;
}

/** A rectangle of the map. */
export interface Tile {
  part: Part;
  /** Keys from the root of the map on. */
  path: string[];
  x: number;
  y: number;
  width: number;
  height: number;
  depth: number;
  /** What is inside of it is drawn, too. */
  isGroup: boolean;
}

/** The share of all samples from which on a part is shown first. */
const NEARLY_ALL = 0.9;
/** What the key of smaller parts begins with; their number follows. */
const SMALLER = '…';
/** Parts that are drawn of one part by themselves; the others are one tile. */
const MOST_PARTS = 200;
/** Square pixels that a part needs to be drawn by itself. */
const LEAST_AREA = 64;
/** Levels that are drawn at once. */
const LEVELS = 3;
/** Pixels that the name of a part with parts takes. */
const LABEL_HEIGHT = 20;
/** Pixels of width from which on a tile has a label. */
export const LEAST_LABELLED = 46;
/** Tiles with a side of fewer pixels are not drawn. */
const LEAST_SIDE = 4;

/** Lays out what is inside of a part. */
export function layOut(root: Part, width: number, height: number): Tile[] {
  const leastWeight = (root.weight * LEAST_AREA) / (width * height);
  const shown = (part: Part, depth: number): Part => {
    if (depth >= LEVELS) return { ...part, parts: [] };
    const tooSmall = part.parts.findIndex(({ weight }) => weight < leastWeight);
    const drawn = Math.min(MOST_PARTS, tooSmall < 0 ? part.parts.length : tooSmall);
    const parts = part.parts.slice(0, drawn).map((inner) => shown(inner, depth + 1));
    // Smaller parts are drawn as one if there are larger ones beside them.
    if (drawn > 0 && drawn < part.parts.length) parts.push({ ...smallerParts(part, drawn), parts: [] });
    return { ...part, parts };
  };
  const data = hierarchy(shown(root, 0), ({ parts }) => parts);
  data.eachAfter((node) => {
    (node as { value?: number }).value = node.data.weight;
  });
  const laidOut = treemap<Part>()
    .size([width, height])
    .tile(treemapSquarify)
    .paddingInner(1)
    .paddingTop((node) => (node.depth === 0 ? 0 : LABEL_HEIGHT))
    .round(true)(data);
  const tiles: Tile[] = [];
  for (const node of laidOut.descendants()) {
    const { parent, depth } = node;
    if (parent === null || (depth > 1 && !hasRoom(parent))) continue;
    // In narrow places the space between parts pushes the last ones over the edge.
    const width = Math.min(node.x1, parent.x1) - node.x0;
    const height = Math.min(node.y1, parent.y1) - node.y0;
    if (width < LEAST_SIDE || height < LEAST_SIDE) continue;
    tiles.push({
      part: node.data,
      path: node
        .ancestors()
        .reverse()
        .slice(1)
        .map(({ data: { key } }) => key),
      x: node.x0,
      y: node.y0,
      width,
      height,
      depth,
      isGroup: node.children !== undefined && hasRoom(node),
    });
  }
  return tiles;
}

function hasRoom(node: HierarchyRectangularNode<Part>): boolean {
  return node.x1 - node.x0 >= LEAST_LABELLED && node.y1 - node.y0 >= LABEL_HEIGHT * 2;
}

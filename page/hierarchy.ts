import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { type Count, formatCount, largerCount } from './count.js';
import type { Body, FunctionRow, Profile } from './model.js';

/** A part of the program: a folder, a namespace, a file, a function, or code that is inlined into a function. */
export interface Part {
  /** Key that tells the part apart from its siblings. */
  key: string;
  label: string;
  /** Number of samples, rounded to a number of JavaScript. */
  weight: number;
  /** Heat of the part's largest count, from 0 to 4. */
  heat: number;
  parts: Part[];
  /** The function, if the part is a function. */
  row?: FunctionRow;
  /** Number of the function's name, if the part is inlined code. */
  inlined?: number;
}

/** The meaning of the map's folders. */
export type Grouping = 'files' | 'namespaces';

/**
 * Returns all functions with code of their own as a tree, by the file of their declaration, or by the namespaces
 * in their names.
 */
export function programTree(profile: Profile, grouping: Grouping): Part {
  const root = newPart(profile.id, profile.id);
  for (const row of profile.functions) {
    const weight = Number(row.total);
    if (weight === 0) continue;
    let at = root;
    // The samples of a context belong to its last function.
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

/** Returns the namespaces of a name. `a::b<c::d>::f(e::g)` is in `a`, and there in `b<c::d>`. */
export function namespaces(shown: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < shown.length; at++) {
    const character = shown[at];
    // The names of operators contain characters that are brackets elsewhere.
    if (shown.startsWith('operator', at)) break;
    if (character === '(' && depth === 0 && !shown.startsWith('(anonymous', at)) break;
    if (character === '<' || character === '(' || character === '{' || character === '[') depth++;
    else if (character === '>' || character === ')' || character === '}' || character === ']') depth--;
    // The text before a blank is the type that the function returns.
    else if (character === ' ' && depth === 0) start = at + 1;
    else if (character === ':' && shown[at + 1] === ':' && depth === 0) {
      if (at > start) found.push(shown.slice(start, at));
      start = at + 2;
      at++;
    }
  }
  return found;
}

/** Adds up the weights, sorts the parts, and joins a folder with its only child if that is a folder. */
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

/** Returns a function as a tree: its own lines, and the code that is inlined into it. */
export function inlineTree(profile: Profile, body: Body, label: string, key: string): Part {
  const parts = body.inlined
    .map((call, index) => ({
      ...inlineTree(profile, call.body, profile.shown(call.body.name), `${index}`),
      inlined: call.body.name,
    }))
    .filter(({ weight }) => weight > 0);
  const inside = parts.reduce((sum, { weight }) => sum + weight, 0);
  const own = Number(body.total) - inside;
  const largest = body.lines.reduce<Count>((max, { count }) => largerCount(max, count), 0);
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

/**
 * Returns the path from the root to the deepest part that holds nearly all samples and has more than one part with
 * them.
 */
export function pathToLargest(root: Part): string[] {
  const way: string[] = [];
  for (let at = root; ; ) {
    const [largest] = at.parts;
    if (largest === undefined || largest.row !== undefined || largest.weight < root.weight * NEARLY_ALL)
      return way;
    way.push(largest.key);
    at = largest;
  }
}

/** Returns one part that stands for the smaller parts of a part, from the part with number `first` on. */
function smallerParts(part: Part, first: number): Part {
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

/** True if a part stands for the smaller parts of another part. */
export function isSmallerParts({ key, row }: Part): boolean {
  return row === undefined && key.startsWith(SMALLER);
}

/** Returns the parts from the root along the steps, as far as the steps exist. */
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
  /** Keys of the parts from the root of the map to this one. */
  path: string[];
  x: number;
  y: number;
  width: number;
  height: number;
  depth: number;
  /** True if the contents of the part are drawn, too. */
  isGroup: boolean;
}

/** Share of all samples from which on a part holds nearly all. The map opens at such a part. */
const NEARLY_ALL = 0.9;
/** Start of the key of smaller parts. Their number follows. */
const SMALLER = '…';
/** Largest number of parts of one part that have a tile of their own. All others share one tile. */
const MAX_PARTS = 200;
/** Least area in square pixels of a part with a tile of its own. */
const MIN_AREA = 64;
/** Number of levels that are drawn at once. */
const LEVELS = 3;
/** Height in pixels of the name of a part that contains parts. */
const LABEL_HEIGHT = 20;
/** Least width in pixels of a tile with a label. */
export const MIN_LABELLED_WIDTH = 46;
/** Least length in pixels of a tile's sides. Smaller tiles are not drawn. */
const MIN_SIDE = 4;

/** Computes the tiles for the contents of a part. */
export function layOut(root: Part, width: number, height: number): Tile[] {
  const leastWeight = (root.weight * MIN_AREA) / (width * height);
  const shown = (part: Part, depth: number): Part => {
    if (depth >= LEVELS) return { ...part, parts: [] };
    const tooSmall = part.parts.findIndex(({ weight }) => weight < leastWeight);
    const drawn = Math.min(MAX_PARTS, tooSmall < 0 ? part.parts.length : tooSmall);
    const parts = part.parts.slice(0, drawn).map((inner) => shown(inner, depth + 1));
    // Smaller parts share one tile if larger parts are drawn beside them.
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
    // In narrow places the space between tiles would push the last ones over the edge.
    const width = Math.min(node.x1, parent.x1) - node.x0;
    const height = Math.min(node.y1, parent.y1) - node.y0;
    if (width < MIN_SIDE || height < MIN_SIDE) continue;
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
  return node.x1 - node.x0 >= MIN_LABELLED_WIDTH && node.y1 - node.y0 >= LABEL_HEIGHT * 2;
}

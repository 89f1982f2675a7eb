import type {
  PackedBlock,
  PackedCall,
  PackedFunction,
  PackedProfile,
  PackedReport,
  PackedSamples,
} from '../src/profile-report/page-format.js';
import type { SourcePlace, Temperature } from '../src/profile-report/types.js';
import { printable } from '../src/report/format.js';
import { type Count, ratio, toCount } from './count.js';
import { unpack } from './unpack.js';

/** A function in the form that lists show. */
export interface FunctionRow {
  /** Number of the function in the profile's list of functions. */
  index: number;
  name: string;
  /** Name of the function in the source. */
  shown: string;
  place: SourcePlace | undefined;
  total: Count;
  head: Count;
  self: Count;
  inlinedTotal: Count;
  copies: number;
  /** Number of functions that call or inline this one. */
  callers: number;
  /** Number of functions that this one calls or inlines. */
  callees: number;
  /** Largest count in the function, or in its inlined copies. */
  max: Count;
  temperature: Temperature;
  /**
   * Total in the base profile; null if the base profile does not have the function, undefined if there is no base
   * profile.
   */
  base: Count | null | undefined;
  /** Text in which a search looks. */
  haystack: string;
}

/** Counts of a line. */
export interface LineCounts {
  line: number;
  discriminator: number;
  count: Count;
  targets: { name: number; count: Count }[];
}

/** Counts of a function, or of one inlined copy. */
export interface Body {
  name: number;
  total: Count;
  lines: LineCounts[];
  inlined: { line: number; discriminator: number; body: Body }[];
}

/** The facts on the page of a function. */
export interface FunctionDetail {
  /** Counts of the function. For a function that is only inlined: the sums over its copies. */
  body: Body;
  callers: Call[];
  callees: Call[];
  /** Counts of the function's own lines in the base profile; undefined if it has none there. */
  baseLines: Pick<LineCounts, 'line' | 'discriminator' | 'count'>[] | undefined;
  /** Text of lines, by file and then by number. */
  sources: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

/** The other end of calls: a caller or a callee. */
export interface Call {
  name: number;
  calls: Count;
  /** Samples of the inlined copies. */
  inlined: Count;
}

interface Block {
  first: number;
  packed: PackedBlock;
  sources: Map<string, Map<number, string>>;
}

/**
 * Number of letters of a name that are shown. Names of some templates and in hostile files have millions of
 * letters.
 */
const MAX_LETTERS = 1000;
/** Number of these letters that are taken from the end of the name. */
const LAST_LETTERS = 100;

/** Number of blocks of lines that stay unpacked in memory. */
const MAX_BLOCKS = 8;

/** A profile of the report. */
export class Profile {
  /** Id of the profile in links. */
  readonly id: string;
  readonly packed: PackedProfile;
  readonly functions: FunctionRow[];
  readonly totalSamples: Count;
  readonly hot: Count;
  readonly cold: Count;
  readonly #number: number;
  readonly #shown: string[];
  readonly #places: Map<number, SourcePlace>;
  readonly #byName: Map<string, FunctionRow>;
  readonly #blocks = new Map<number, Promise<Block>>();

  constructor(packed: PackedProfile, number: number, id: string) {
    this.id = id;
    this.packed = packed;
    this.#number = number;
    this.totalSamples = toCount(packed.totalSamples);
    this.hot = toCount(packed.thresholds.hot);
    this.cold = toCount(packed.thresholds.cold);
    this.#shown = shownNames(packed);
    const files = packed.files.map(clipped);
    this.#places = new Map(
      packed.places.map(([name, file, line]) => [name, { file: files[file] ?? '', line }]),
    );
    const { functions: columns, comparison } = packed;
    this.functions = columns.total.map((total, index): FunctionRow => {
      const name = packed.names[index] ?? '';
      const shown = this.shown(index);
      const place = this.#places.get(index);
      const base = comparison?.totals[index];
      const max = toCount(columns.max[index] ?? 0);
      return {
        index,
        name,
        shown,
        place,
        total: toCount(total),
        head: toCount(columns.head[index] ?? 0),
        self: toCount(columns.self[index] ?? 0),
        inlinedTotal: toCount(columns.inlinedTotal[index] ?? 0),
        copies: columns.copies[index] ?? 0,
        callers: columns.callers[index] ?? 0,
        callees: columns.callees[index] ?? 0,
        max,
        temperature: this.temperature(max),
        base: base === undefined || base === null ? base : toCount(base),
        haystack: `${name}\n${shown === name ? '' : shown}\n${place?.file ?? ''}`.toLowerCase(),
      };
    });
    this.#byName = new Map(this.functions.map((row) => [row.name, row]));
  }

  /** Returns the function with this name, or `undefined` if the profile does not have it. */
  find(name: string): FunctionRow | undefined {
    return this.#byName.get(name);
  }

  /** Returns the name with this number, as in the profile. */
  name(number: number): string {
    return this.packed.names[number] ?? '';
  }

  /** Returns the name with this number, as in the source. A very long name is clipped. */
  shown(number: number): string {
    return this.#shown[number] ?? '';
  }

  /** Returns the place where the function with this name is declared, or `undefined` if it is not known. */
  place(number: number): SourcePlace | undefined {
    return this.#places.get(number);
  }

  /**
   * Returns the place from which lines of the function are counted. Returns `undefined` for pseudo probes, whose
   * numbers are not lines.
   */
  firstLine(number: number): SourcePlace | undefined {
    return this.packed.locations === 'probes' ? undefined : this.place(number);
  }

  /** Returns the share of the profile's samples. */
  share(samples: Count): number {
    return ratio(samples, this.totalSamples);
  }

  /** Returns the temperature of a count, by the cut-offs of the profile. */
  temperature(count: Count): Temperature {
    if (count >= this.hot) return 'hot';
    return count <= this.cold ? 'cold' : 'warm';
  }

  /** Returns the heat of a count: 0 is cold, 1 is warm, 2 to 4 are hot. */
  heat(count: Count): number {
    const { half, most } = this.packed.thresholds;
    if (count >= this.hot) return count >= toCount(half) ? 4 : count >= toCount(most) ? 3 : 2;
    return count <= this.cold ? 0 : 1;
  }

  /** Unpacks the counts of a function. */
  async detail({ index }: FunctionRow): Promise<FunctionDetail> {
    const { blocks } = this.packed;
    const after = blocks.findIndex((first) => first > index);
    const { first, packed, sources } = await this.#block(after < 0 ? blocks.length - 1 : after - 1);
    const { samples, copyLines, baseLines, callers, callees } = packed.functions[index - first] ?? {
      samples: null,
      copyLines: [],
      baseLines: [],
      callers: [],
      callees: [],
    };
    const ofCopies = (): Body => ({
      name: index,
      total: this.functions[index]?.inlinedTotal ?? 0,
      lines: copyLines.map((line) => ({ ...toLine(line), targets: [] })),
      inlined: [],
    });
    return {
      body: samples === null ? ofCopies() : toBody(samples),
      baseLines: baseLines.length === 0 ? undefined : baseLines.map(toLine),
      callers: callers.map(toCall),
      callees: callees.map(toCall),
      sources,
    };
  }

  #block(number: number): Promise<Block> {
    const known = this.#blocks.get(number);
    if (known !== undefined) return known;
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size >= MAX_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest);
    const block = this.#unpack(number);
    this.#blocks.set(number, block);
    return block;
  }

  async #unpack(number: number): Promise<Block> {
    const packed = await unpack<PackedBlock>(`block-${this.#number}-${number}`);
    const sources = new Map<string, Map<number, string>>();
    for (const [file, first, text] of packed.sources) {
      const path = clipped(this.packed.files[file] ?? '');
      const lines = sources.get(path) ?? new Map<number, string>();
      for (const [index, line] of text.split('\n').entries()) lines.set(first + index, printable(line));
      sources.set(path, lines);
    }
    return { first: this.packed.blocks[number] ?? 0, packed, sources };
  }
}

/** Returns a name that can be shown. Of a very long name, returns the beginning and the end. */
export function clipped(name: string): string {
  if (name.length <= MAX_LETTERS) return printable(name);
  return printable(`${name.slice(0, MAX_LETTERS - LAST_LETTERS)}…${name.slice(-LAST_LETTERS)}`);
}

/**
 * Returns all names as people read them. If several functions have the same name, for example instances of a
 * generic function of Rust, their hashes tell them apart.
 */
function shownNames({ names, shown }: PackedProfile): string[] {
  const found = [...names];
  const users = new Map<string, number>();
  for (const [number, name] of shown) {
    found[number] = name;
    users.set(name, (users.get(name) ?? 0) + 1);
  }
  for (const [number, name] of shown) {
    const hash = (users.get(name) ?? 0) > 1 ? /17h([0-9a-f]{8})[0-9a-f]{8}E/.exec(names[number] ?? '') : null;
    if (hash !== null) found[number] = `${name} [${hash[1]}]`;
  }
  return found.map(clipped);
}

function toCall([name, calls, inlined]: PackedCall): Call {
  return { name, calls: toCount(calls), inlined: toCount(inlined) };
}

function toLine([line, discriminator, count]: PackedFunction['baseLines'][number]) {
  return { line, discriminator, count: toCount(count) };
}

function toBody([name, total, lines, inlined]: PackedSamples): Body {
  return {
    name,
    total: toCount(total),
    lines: lines.map(([line, discriminator, count, ...targets]) => ({
      line,
      discriminator,
      count: toCount(count),
      targets: Array.from({ length: targets.length / 2 }, (_, index) => ({
        name: Number(targets[index * 2]),
        count: toCount(targets[index * 2 + 1] ?? 0),
      })),
    })),
    inlined: inlined.map(([line, discriminator, samples]) => ({
      line,
      discriminator,
      body: toBody(samples),
    })),
  };
}

/** A report with its profiles. */
export interface Model {
  report: PackedReport;
  profiles: Profile[];
}

/** Unpacks the facts about all functions of the report. */
export async function loadModel(): Promise<Model> {
  const report = await unpack<PackedReport>('index');
  const ids = profileIds(report.profiles);
  const profiles = report.profiles.map((profile, number) => new Profile(profile, number, ids[number] ?? ''));
  return { report, profiles };
}

/**
 * Returns names that tell profiles apart: the names of their files, with one or more folders in front if file
 * names are equal.
 */
export function profileIds(profiles: readonly Pick<PackedProfile, 'name' | 'path'>[]): string[] {
  const times = (id: string, ids: readonly string[]) => ids.filter((other) => other === id).length;
  let ids = profiles.map(({ name }) => name);
  const most = Math.max(0, ...profiles.map(({ path }) => path.split('/').length));
  for (let folders = 1; folders < most && new Set(ids).size < ids.length; folders++) {
    const before = ids;
    ids = profiles.map(({ path }, index) => {
      const id = before[index] ?? '';
      return times(id, before) === 1
        ? id
        : path
            .split('/')
            .slice(-folders - 1)
            .join('/');
    });
  }
  return ids.map((id, index) => {
    const earlier = times(id, ids.slice(0, index));
    return earlier === 0 ? id : `${id} (${earlier + 1})`;
  });
}

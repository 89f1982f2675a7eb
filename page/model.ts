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

/** A function as lists show it. */
export interface FunctionRow {
  /** Its number among the functions of the profile. */
  index: number;
  name: string;
  /** The name as the source has it. */
  shown: string;
  place: SourcePlace | undefined;
  total: Count;
  head: Count;
  self: Count;
  inlinedTotal: Count;
  copies: number;
  /** How many functions call it or have it inlined. */
  callers: number;
  /** How many functions it calls or has inlined. */
  callees: number;
  /** The largest count in it, or in its copies. */
  max: Count;
  temperature: Temperature;
  /** Its total in the base profile; null if it was not there, undefined without one. */
  base: Count | null | undefined;
  /** What a search looks in. */
  haystack: string;
}

/** Counts of a line. */
export interface LineCounts {
  line: number;
  discriminator: number;
  count: Count;
  targets: { name: number; count: Count }[];
}

/** Counts of a function, or of a copy that is inlined. */
export interface Body {
  name: number;
  total: Count;
  lines: LineCounts[];
  inlined: { line: number; discriminator: number; body: Body }[];
}

/** What the page of a function shows. */
export interface FunctionDetail {
  /** Of a function that was only inlined, the sum of its copies. */
  body: Body;
  callers: Call[];
  callees: Call[];
  /** Counts of its own lines in the base profile; undefined where it has none. */
  baseLines: Pick<LineCounts, 'line' | 'discriminator' | 'count'>[] | undefined;
  /** Text of lines by number, by file. */
  sources: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

/** The other end of calls. */
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

/** Letters of a name that are shown; the names of some templates and of hostile files have millions. */
const MOST_LETTERS = 1000;
/** Those of its end. */
const LAST_LETTERS = 100;

/** Blocks of lines that stay unpacked. */
const MAX_BLOCKS = 8;

/** A profile of the report. */
export class Profile {
  /** Tells it apart in links. */
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

  /** The function with this name, if the profile has it. */
  find(name: string): FunctionRow | undefined {
    return this.#byName.get(name);
  }

  /** The name with this number, as the profile has it. */
  name(number: number): string {
    return this.packed.names[number] ?? '';
  }

  /** The name with this number, as the source has it; clipped if it is very long. */
  shown(number: number): string {
    return this.#shown[number] ?? '';
  }

  /** Where the function with this name is declared. */
  place(number: number): SourcePlace | undefined {
    return this.#places.get(number);
  }

  /** Where its lines are counted from; pseudo probes are not counted from anywhere. */
  firstLine(number: number): SourcePlace | undefined {
    return this.packed.locations === 'probes' ? undefined : this.place(number);
  }

  /** The part that samples are of the whole profile. */
  share(samples: Count): number {
    return ratio(samples, this.totalSamples);
  }

  /** What a count is, by the cut-offs of the profile. */
  temperature(count: Count): Temperature {
    if (count >= this.hot) return 'hot';
    return count <= this.cold ? 'cold' : 'warm';
  }

  /** How hot a count is: 0 cold, 1 warm, 2 to 4 hot. */
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

/** A name that can be shown; of one that is very long, the beginning and the end. */
export function clipped(name: string): string {
  if (name.length <= MOST_LETTERS) return printable(name);
  return printable(`${name.slice(0, MOST_LETTERS - LAST_LETTERS)}…${name.slice(-LAST_LETTERS)}`);
}

/** All names for people. Where several have the same, as instances of a generic function of Rust do, their hashes tell them apart. */
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

/** Unpacks what all functions of the report have. */
export async function loadModel(): Promise<Model> {
  const report = await unpack<PackedReport>('index');
  const ids = profileIds(report.profiles);
  const profiles = report.profiles.map((profile, number) => new Profile(profile, number, ids[number] ?? ''));
  return { report, profiles };
}

/** Names that tell profiles apart: those of their files, with a folder in front, or more, where names are equal. */
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

import type {
  PackedBlock,
  PackedFunction,
  PackedProfile,
  PackedReport,
  PackedSamples,
} from '../src/profile-report/page-format.js';
import type { SourcePlace, Temperature } from '../src/profile-report/types.js';
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
  callers: { name: number; calls: Count; inlined: Count }[];
  /** Counts of its own lines in the base profile; undefined where it has none. */
  baseLines: Pick<LineCounts, 'line' | 'discriminator' | 'count'>[] | undefined;
  /** Text of lines by number, by file. */
  sources: ReadonlyMap<string, ReadonlyMap<number, string>>;
}

interface Block {
  first: number;
  packed: PackedBlock;
  sources: Map<string, Map<number, string>>;
}

const TEMPERATURES: Record<string, Temperature> = { h: 'hot', w: 'warm', c: 'cold' };
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
  readonly #shown: Map<number, string>;
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
    this.#shown = new Map(packed.shown);
    this.#places = new Map(
      packed.places.map(([name, file, line]) => [name, { file: packed.files[file] ?? '', line }]),
    );
    const { functions: columns, comparison } = packed;
    this.functions = columns.total.map((total, index): FunctionRow => {
      const name = packed.names[index] ?? '';
      const shown = this.shown(index);
      const place = this.#places.get(index);
      const base = comparison?.totals[index];
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
        temperature: TEMPERATURES[columns.temperature[index] ?? 'c'] ?? 'cold',
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

  /** The name with this number, as the source has it. */
  shown(number: number): string {
    return this.#shown.get(number) ?? this.name(number);
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

  /** Unpacks the counts of a function. */
  async detail({ index }: FunctionRow): Promise<FunctionDetail> {
    const { blocks } = this.packed;
    const after = blocks.findIndex((first) => first > index);
    const { first, packed, sources } = await this.#block(after < 0 ? blocks.length - 1 : after - 1);
    const { samples, copyLines, baseLines, callers } = packed.functions[index - first] ?? {
      samples: null,
      copyLines: [],
      baseLines: [],
      callers: [],
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
      callers: callers.map(([name, calls, inlined]) => ({
        name,
        calls: toCount(calls),
        inlined: toCount(inlined),
      })),
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
      const path = this.packed.files[file] ?? '';
      const lines = sources.get(path) ?? new Map<number, string>();
      for (const [index, line] of text.split('\n').entries()) lines.set(first + index, line);
      sources.set(path, lines);
    }
    return { first: this.packed.blocks[number] ?? 0, packed, sources };
  }
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
  const used = new Map<string, number>();
  const profiles = report.profiles.map((profile, number) => {
    const times = (used.get(profile.name) ?? 0) + 1;
    used.set(profile.name, times);
    return new Profile(profile, number, times === 1 ? profile.name : `${profile.name} (${times})`);
  });
  return { report, profiles };
}

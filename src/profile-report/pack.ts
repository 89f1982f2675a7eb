import type { FunctionSamples } from '../sample-profile/types.js';
import { hottestLines } from './hot-lines.js';
import { shownName } from './names.js';
import type {
  PackedBlock,
  PackedCall,
  PackedCount,
  PackedFunction,
  PackedLine,
  PackedProfile,
  PackedReport,
  PackedSamples,
  PackedSource,
  WithPackedCounts,
} from './page-format.js';
import { wantedLines } from './sources.js';
import type { CallReport, ComparisonReport, FunctionReport, ProfileReport, Report } from './types.js';

/** Number of the hottest lines of a profile that have a list of their own. */
const HOT_LINES = 12;
/** Number of lines of the profile in a block. A block is unpacked when one of its functions is looked at. */
const LINES_A_BLOCK = 5000;

/** A report in the form that the page reads: the facts of all functions, and blocks of lines by their names. */
export interface Packed {
  index: PackedReport;
  /** The blocks of lines. They are made one after the other, because all of them may be too large for memory. */
  blocks: Iterable<[name: string, block: PackedBlock]>;
}

/** Packs a report for the page. */
export function packReport({ version, recording, profiles, failures, diagnostics }: Report): Packed {
  const packers = profiles.map((profile) => new ProfilePacker(profile));
  return {
    index: {
      version,
      recording: packCounts(recording),
      profiles: packers.map((packer) => packer.index()),
      failures: failures.map(({ name, error: { message, hint } }) => ({ name, message, hint })),
      diagnostics,
    },
    blocks: blocksOf(packers),
  };
}

function* blocksOf(packers: readonly ProfilePacker[]): Generator<[string, PackedBlock]> {
  for (const [profile, packer] of packers.entries()) {
    for (const [number, block] of packer.blocks().entries()) yield [`${profile}-${number}`, block()];
  }
}

function packCount(count: bigint): PackedCount {
  const number = Number(count);
  return Number.isSafeInteger(number) ? number : count.toString();
}

/** Converts the counts in a value of the library to the form that the page reads. */
function packCounts<T>(value: T): WithPackedCounts<T> {
  const pack = (part: unknown): unknown => {
    if (typeof part === 'bigint') return packCount(part);
    if (Array.isArray(part)) return part.map(pack);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [name, pack(inner)]));
  };
  return pack(value) as WithPackedCounts<T>;
}

/** A list that gives each entry a number. */
class NumberedList {
  readonly all: string[] = [];
  readonly #numbers = new Map<string, number>();

  number(entry: string): number {
    const known = this.#numbers.get(entry);
    if (known !== undefined) return known;
    this.#numbers.set(entry, this.all.length);
    return this.all.push(entry) - 1;
  }
}

class ProfilePacker {
  readonly #profile: ProfileReport;
  readonly #names = new NumberedList();
  readonly #files = new NumberedList();

  constructor(profile: ProfileReport) {
    this.#profile = profile;
    for (const { name } of profile.functions) this.#names.number(name);
    for (const { samples, callers, callees } of profile.functions) {
      if (samples !== undefined) this.#addNames(samples);
      for (const { name } of [...callers, ...callees]) this.#names.number(name);
    }
    for (const { file } of profile.places.values()) this.#files.number(file);
  }

  #addNames({ name, body, inlined }: FunctionSamples): void {
    this.#names.number(name);
    for (const { targets } of body) for (const target of targets) this.#names.number(target.name);
    for (const { samples } of inlined) this.#addNames(samples);
  }

  index(): PackedProfile {
    const { functions, names, places, comparison, temperatures, thresholds, ...profile } = this.#profile;
    const { name, path, buildId, format, locations, contextSensitive, md5, density } = profile;
    const { hot, warm, cold } = temperatures;
    const share = (of: typeof hot) => ({ ...of, samples: packCount(of.samples) });
    const column = (of: (report: FunctionReport) => bigint) =>
      functions.map((report) => packCount(of(report)));
    const all = this.#names.all;
    return {
      name,
      path,
      buildId,
      format,
      locations,
      contextSensitive,
      md5,
      density,
      totalCount: packCount(profile.totalCount),
      totalSamples: packCount(profile.totalSamples),
      maxCount: packCount(profile.maxCount),
      thresholds: {
        half: packCount(thresholds.half),
        most: packCount(thresholds.most),
        hot: packCount(thresholds.hot),
        cold: packCount(thresholds.cold),
      },
      hotLines: hottestLines(this.#profile, HOT_LINES).map(({ name, inside, line, discriminator, count }) => [
        this.#names.number(name),
        this.#names.number(inside),
        line,
        discriminator,
        packCount(count),
      ]),
      temperatures: { hot: share(hot), warm: share(warm), cold: share(cold) },
      coverage: profile.coverage,
      statistics: packCounts(profile.statistics),
      findings: profile.findings,
      diagnostics: profile.diagnostics,
      names: all,
      shown: all.flatMap((mangled, number): [number, string][] => {
        const shown = shownName(mangled, names);
        return shown === mangled ? [] : [[number, shown]];
      }),
      files: this.#files.all,
      places: all.flatMap((mangled, number): [number, number, number][] => {
        const place = places.get(mangled);
        return place === undefined ? [] : [[number, this.#files.number(place.file), place.line]];
      }),
      functions: {
        total: column(({ total }) => total),
        head: column(({ head }) => head),
        self: column(({ self }) => self),
        inlinedTotal: column(({ inlinedTotal }) => inlinedTotal),
        copies: functions.map(({ copies }) => copies),
        callers: functions.map(({ callers }) => callers.length),
        callees: functions.map(({ callees }) => callees.length),
        max: column(({ max }) => max),
      },
      blocks: this.#cuts(),
      hasSource: this.#profile.sources.size > 0,
      comparison: comparison && {
        path: comparison.path,
        result: packCounts(comparison.result),
        shown: shownChanges(comparison, names),
        totalSamples: packCount(comparison.totalSamples),
        totals: functions.map((report) => {
          const total = comparison.functions.get(report.name)?.total;
          return total === undefined ? null : packCount(total);
        }),
      },
    };
  }

  /** Returns the numbers of the first functions of the blocks. */
  #cuts(): number[] {
    const cuts: number[] = [];
    let lines = LINES_A_BLOCK;
    for (const [number, { samples, copyLines }] of this.#profile.functions.entries()) {
      if (lines >= LINES_A_BLOCK) {
        cuts.push(number);
        lines = 0;
      }
      lines += 1 + copyLines.length + (samples === undefined ? 0 : linesIn(samples));
    }
    return cuts;
  }

  blocks(): (() => PackedBlock)[] {
    const cuts = this.#cuts();
    const { functions } = this.#profile;
    return cuts.map((first, index) => () => this.#block(functions.slice(first, cuts[index + 1])));
  }

  #block(functions: readonly FunctionReport[]): PackedBlock {
    return {
      functions: functions.map((report) => this.#function(report)),
      sources: this.#sources(functions),
    };
  }

  #function({ name, samples, copyLines, callers, callees }: FunctionReport): PackedFunction {
    const base = this.#profile.comparison?.functions.get(name);
    const pack = ({ name, calls, inlined }: CallReport): PackedCall => [
      this.#names.number(name),
      packCount(calls),
      packCount(inlined),
    ];
    return {
      samples: samples === undefined ? null : this.#samples(samples),
      copyLines:
        samples === undefined
          ? copyLines.map(({ line, discriminator, count }) => [line, discriminator, packCount(count)])
          : [],
      baseLines: (base?.body ?? []).map(({ line, discriminator, count }) => [
        line,
        discriminator,
        packCount(count),
      ]),
      callers: callers.map(pack),
      callees: callees.map(pack),
    };
  }

  #samples({ name, total, body, inlined }: FunctionSamples): PackedSamples {
    return [
      this.#names.number(name),
      packCount(total),
      body.map(({ line, discriminator, count, targets }): PackedLine => {
        const calls = targets.flatMap((target) => [this.#names.number(target.name), packCount(target.count)]);
        return [line, discriminator, packCount(count), ...calls];
      }),
      inlined.map(({ line, discriminator, samples }) => [line, discriminator, this.#samples(samples)]),
    ];
  }

  /** Returns the source that is shown with the functions of a block. */
  #sources(functions: readonly FunctionReport[]): PackedSource[] {
    const { sources, places } = this.#profile;
    if (sources.size === 0) return [];
    const packed: PackedSource[] = [];
    for (const [file, numbers] of wantedLines(functions, places)) {
      const lines = sources.get(file);
      if (lines === undefined) continue;
      let last = Number.NaN;
      for (const number of [...numbers].sort((a, b) => a - b)) {
        const text = lines.get(number);
        if (text === undefined) continue;
        const part = packed.at(-1);
        if (number === last + 1 && part !== undefined) part[2] += `\n${text}`;
        else packed.push([this.#files.number(file), number, text]);
        last = number;
      }
    }
    return packed;
  }
}

/**
 * Returns the changed functions with their names in the source. A function of the base profile may be missing in
 * the newer profile.
 */
function shownChanges(
  { result: { gained, lost, changed, targetShifts } }: ComparisonReport,
  names: ReadonlyMap<string, string>,
): [string, string][] {
  const all = new Set([...gained, ...lost, ...changed].map(({ name }) => name));
  for (const { place, targets } of targetShifts) {
    all.add(place);
    for (const { name } of targets) all.add(name);
  }
  return [...all].flatMap((name): [string, string][] => {
    const shown = shownName(name, names);
    return shown === name ? [] : [[name, shown]];
  });
}

function linesIn({ body, inlined }: FunctionSamples): number {
  return inlined.reduce((sum, { samples }) => sum + 1 + linesIn(samples), body.length);
}

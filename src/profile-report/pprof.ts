import { gzipSync } from 'node:zlib';
import {
  Line,
  Location,
  Mapping,
  Profile,
  Function as ProfileFunction,
  Sample,
  StringTable,
  ValueType,
} from 'pprof-format';
import { type CountedStack, countedStacks, type StackFrame } from './stacks.js';
import type { ProfileReport, Report } from './types.js';

/** Largest value in profile.proto, whose values are signed. */
const MAX_I64 = 2n ** 63n - 1n;

/**
 * Converts a report to the format of pprof: `profile.proto`, packed with gzip (github.com/google/pprof,
 * proto/profile.proto). Each line with a count is a sample. All binaries are in one profile, and each is a
 * mapping.
 */
export function toPprof({ profiles, version }: Report): Uint8Array {
  const builder = new PprofBuilder(version);
  for (const profile of profiles) builder.add(profile);
  return gzipSync(builder.encode());
}

class PprofBuilder {
  readonly #strings = new StringTable();
  readonly #version: string;
  readonly #samples: Sample[] = [];
  readonly #mappings: Mapping[] = [];
  readonly #locations: Location[] = [];
  readonly #functions: ProfileFunction[] = [];

  constructor(version: string) {
    this.#version = version;
  }

  add(profile: ProfileReport): void {
    const mapping = new Mapping({
      id: this.#mappings.length + 1,
      filename: this.#strings.dedup(profile.path),
      buildId: this.#strings.dedup(profile.buildId ?? ''),
      hasFunctions: true,
      hasFilenames: profile.places.size > 0,
      hasLineNumbers: true,
      hasInlineFrames: true,
    });
    this.#mappings.push(mapping);
    const numbers = new ProfileNumbers(profile, this.#strings, this.#functions);
    const locations = new Map<string, number>();
    for (const stack of countedStacks(profile)) {
      const locationId = locationsOf(stack).map((frames) => {
        const key = frames.map(({ name, line }) => `${name}\n${line}`).join('\n');
        const known = locations.get(key);
        if (known !== undefined) return known;
        const id = this.#locations.length + 1;
        const line = frames.map((frame) => new Line({ functionId: numbers.of(frame), line: frame.line }));
        this.#locations.push(new Location({ id, mappingId: mapping.id, line }));
        locations.set(key, id);
        return id;
      });
      this.#samples.push(new Sample({ locationId, value: [stack.count > MAX_I64 ? MAX_I64 : stack.count] }));
    }
  }

  encode(): Uint8Array {
    const type = this.#strings.dedup('samples');
    const unit = this.#strings.dedup('count');
    return new Profile({
      sampleType: [new ValueType({ type, unit })],
      defaultSampleType: type,
      sample: this.#samples,
      mapping: this.#mappings,
      location: this.#locations,
      function: this.#functions,
      comment: [this.#strings.dedup(`autofdo-gen ${this.#version}`)],
      stringTable: this.#strings,
    }).encode();
  }
}

/**
 * Groups the frames of a stack by location. Inlined code shares the location of the function into which it is
 * inlined; each caller has a location of its own.
 */
function locationsOf({ frames, inlined }: CountedStack): StackFrame[][] {
  return [frames.slice(0, inlined), ...frames.slice(inlined).map((frame) => [frame])];
}

/** Gives numbers to the functions of one binary. */
class ProfileNumbers {
  readonly #numbers = new Map<string, number>();
  readonly #profile: ProfileReport;
  readonly #strings: StringTable;
  readonly #functions: ProfileFunction[];

  constructor(profile: ProfileReport, strings: StringTable, functions: ProfileFunction[]) {
    this.#profile = profile;
    this.#strings = strings;
    this.#functions = functions;
  }

  of({ name }: StackFrame): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const id = this.#functions.length + 1;
    const { names, places } = this.#profile;
    const place = places.get(name);
    this.#functions.push(
      new ProfileFunction({
        id,
        name: this.#strings.dedup(names.get(name) ?? name),
        systemName: this.#strings.dedup(name),
        filename: this.#strings.dedup(place?.file ?? ''),
        startLine: place?.line ?? 0,
      }),
    );
    this.#numbers.set(name, id);
    return id;
  }
}

import { countedStacks } from './stacks.js';
import type { ProfileReport, Report } from './types.js';

/** The schema that the file names (speedscope, file-format-spec.ts). */
const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

interface Frame {
  name: string;
  file?: string;
  line?: number;
}

/**
 * Yields a report in the format of speedscope, in pieces. A frame is a function, at the line of its declaration. A
 * sample is the sum of all counts of one stack of functions that are inlined into each other. Weights above 2^53
 * are rounded, because numbers of JSON are. Each binary is a profile.
 */
export function* toSpeedscope({ profiles, version }: Report): Generator<string> {
  const frames = new FrameList();
  const parts = profiles.map((profile) => sampledProfile(profile, frames));
  yield `{"$schema":${JSON.stringify(SCHEMA)},"exporter":"autofdo-gen ${version}",`;
  yield `"shared":{"frames":${JSON.stringify(frames.all)}},"profiles":[`;
  for (const [index, part] of parts.entries()) yield (index === 0 ? '' : ',') + JSON.stringify(part);
  yield ']}\n';
}

/** Numbers the frames of all profiles. */
class FrameList {
  readonly all: Frame[] = [];
  readonly #numbers = new Map<string, number>();

  number({ names, places }: ProfileReport, name: string): number {
    const place = places.get(name);
    const key = `${name}\n${place?.file ?? ''}\n${place?.line ?? ''}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.all.length);
    return this.all.push({ name: names.get(name) ?? name, ...place }) - 1;
  }
}

function sampledProfile(profile: ProfileReport, frames: FrameList): object {
  const sums = new Map<string, { stack: number[]; count: bigint }>();
  for (const { frames: found, count } of countedStacks(profile)) {
    const stack = found.map(({ name }) => frames.number(profile, name)).reverse();
    const key = stack.join();
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { stack, count });
    else known.count += count;
  }
  const weights = [...sums.values()].map(({ count }) => Number(count));
  return {
    type: 'sampled',
    name: profile.name,
    unit: 'none',
    startValue: 0,
    endValue: weights.reduce((sum, weight) => sum + weight, 0),
    samples: [...sums.values()].map(({ stack }) => stack),
    weights,
  };
}

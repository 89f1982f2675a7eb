import { countedStacks } from './stacks.js';
import type { Report } from './types.js';

/** The schema that the file names (speedscope, file-format-spec.ts). */
const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';

/**
 * A report as speedscope reads it, in pieces. Each line with a count is a sample, whose weight is the count; a weight above 2^53 is
 * rounded, as numbers of JSON are. Each binary is a profile.
 */
export function* toSpeedscope({ profiles, version }: Report): Generator<string> {
  const frames: { name: string; file?: string; line?: number }[] = [];
  const numbers = new Map<string, number>();
  const parts = profiles.map((profile) => {
    const samples: number[][] = [];
    const weights: number[] = [];
    for (const stack of countedStacks(profile)) {
      const numbered = stack.frames.map(({ name, line }) => {
        const place = profile.places.get(name);
        const key = `${name}\n${place?.file ?? ''}\n${line}`;
        const known = numbers.get(key);
        if (known !== undefined) return known;
        numbers.set(key, frames.length);
        const shown = profile.names.get(name) ?? name;
        return frames.push({ name: shown, ...(place && { file: place.file }), line }) - 1;
      });
      samples.push(numbered.reverse());
      weights.push(Number(stack.count));
    }
    const endValue = weights.reduce((sum, weight) => sum + weight, 0);
    return { type: 'sampled', name: profile.name, unit: 'none', startValue: 0, endValue, samples, weights };
  });
  yield `{"$schema":${JSON.stringify(SCHEMA)},"exporter":"autofdo-gen ${version}",`;
  yield `"shared":{"frames":${JSON.stringify(frames)}},"profiles":[`;
  for (const [index, part] of parts.entries()) yield (index === 0 ? '' : ',') + JSON.stringify(part);
  yield ']}\n';
}

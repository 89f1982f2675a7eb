import type { LineLocation } from '../sample-profile/types.js';
import type { SourcePlace } from './types.js';

/**
 * How many lines behind the declaration of its function a location is. LLVM keeps 16 bits of that distance (SampleProf.h, `LineLocation`), so
 * a line before the declaration has a large number.
 */
export function lineDistance({ line }: LineLocation): number {
  return line < 0x8000 ? line : line - 0x1_0000;
}

/** The line of the file that a location is at. */
export function sourceLine({ line: declared }: SourcePlace, location: LineLocation): number {
  return declared + lineDistance(location);
}

/** A location where the file is not known: `+3` is the third line behind the declaration. */
export function distanceText(distance: number): string {
  return distance < 0 ? `−${-distance}` : `+${distance}`;
}

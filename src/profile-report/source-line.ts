import type { LineLocation } from '../sample-profile/types.js';
import type { SourcePlace } from './types.js';

/**
 * Returns the number of lines from the declaration of the function to a location. LLVM keeps 16 bits of this
 * distance (SampleProf.h, `LineLocation`), so a line before the declaration has a large number.
 */
export function lineDistance({ line }: LineLocation): number {
  return line < 0x8000 ? line : line - 0x1_0000;
}

/** Returns the number of the line in the file for a location. */
export function sourceLine({ line: declared }: SourcePlace, location: LineLocation): number {
  return declared + lineDistance(location);
}

/** Writes a location for which the file is not known. `+3` is the third line after the declaration. */
export function distanceText(distance: number): string {
  return distance < 0 ? `−${-distance}` : `+${distance}`;
}

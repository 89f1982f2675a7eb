import type { LineLocation } from '../sample-profile/types.js';
import type { SourcePlace } from './types.js';

/**
 * The line of the file that a location is at. LLVM keeps 16 bits of the distance from the declaration (SampleProf.h, `LineLocation`), so
 * a line before it has a large number.
 */
export function sourceLine({ line: declared }: SourcePlace, { line }: LineLocation): number {
  return declared + (line < 0x8000 ? line : line - 0x1_0000);
}

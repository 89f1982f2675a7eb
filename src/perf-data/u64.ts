import Long from 'long';

const TWO_32 = 2 ** 32;

/** Reads the u64 at `offset`. */
export function u64(view: DataView, offset: number, littleEndian: boolean): Long {
  const first = view.getInt32(offset, littleEndian);
  const second = view.getInt32(offset + 4, littleEndian);
  return littleEndian ? Long.fromBits(first, second, true) : Long.fromBits(second, first, true);
}

/**
 * Reads the u64 at `offset` as a number. Values below 2^53 are exact; every length and offset of a real file is
 * below. Larger values are rounded, but stay larger than any file, so a comparison with a size refuses them.
 */
export function u64AsNumber(view: DataView, offset: number, littleEndian: boolean): number {
  const first = view.getUint32(offset, littleEndian);
  const second = view.getUint32(offset + 4, littleEndian);
  return littleEndian ? second * TWO_32 + first : first * TWO_32 + second;
}

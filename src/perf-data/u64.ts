import Long from 'long';

const TWO_32 = 2 ** 32;

/** The u64 at `offset`. */
export function u64(view: DataView, offset: number, littleEndian: boolean): Long {
  const first = view.getInt32(offset, littleEndian);
  const second = view.getInt32(offset + 4, littleEndian);
  return littleEndian ? Long.fromBits(first, second, true) : Long.fromBits(second, first, true);
}

/**
 * The u64 at `offset` as a number: exact below 2^53, which every length and offset of a real file is. Larger ones
 * are only near their value, still larger than any file, so comparing with a size refuses them.
 */
export function u64AsNumber(view: DataView, offset: number, littleEndian: boolean): number {
  const first = view.getUint32(offset, littleEndian);
  const second = view.getUint32(offset + 4, littleEndian);
  return littleEndian ? second * TWO_32 + first : first * TWO_32 + second;
}

const TWO_32 = 2 ** 32;

/**
 * Reads the address at `offset` as a signed number. Addresses of 64-bit machines are canonical: within 2^56 of
 * either end of the address space, and in practice within 2^53. So signed numbers are exact, and kernel addresses
 * are negative.
 */
export function address(view: DataView, offset: number, littleEndian: boolean): number {
  const first = littleEndian ? offset : offset + 4;
  const second = littleEndian ? offset + 4 : offset;
  return view.getInt32(second, littleEndian) * TWO_32 + view.getUint32(first, littleEndian);
}

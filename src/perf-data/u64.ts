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

/**
 * The address at `offset` as a signed number. Addresses of 64-bit machines are canonical: within 2^56 of either
 * end of the address space and in practice within 2^53, so as signed numbers they are exact and kernel addresses
 * are the negative ones.
 */
export function address(view: DataView, offset: number, littleEndian: boolean): number {
  const first = littleEndian ? offset : offset + 4;
  const second = littleEndian ? offset + 4 : offset;
  return view.getInt32(second, littleEndian) * TWO_32 + view.getUint32(first, littleEndian);
}

/** A sum of u64 values modulo 2^64 that allocates nothing for a summand. */
export class WrappingSum {
  #low = 0;
  #high = 0;

  add(low: number, high: number): void {
    this.#low += low;
    let carry = 0;
    if (this.#low >= TWO_32) {
      this.#low -= TWO_32;
      carry = 1;
    }
    this.#high = (this.#high + high + carry) % TWO_32;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return hex64(Long.fromBits(this.#low | 0, this.#high | 0, true));
  }
}

/** 16 hexadecimal digits. */
export function hex64(value: Long): string {
  return value.toUnsigned().toString(16).padStart(16, '0');
}

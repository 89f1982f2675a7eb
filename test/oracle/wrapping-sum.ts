import Long from 'long';

const TWO_32 = 2 ** 32;

/** A sum of u64 values modulo 2^64. Adding a value allocates no memory. */
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

  /** Returns the sum as 16 hexadecimal digits. */
  toString(): string {
    return hex64(Long.fromBits(this.#low | 0, this.#high | 0, true));
  }
}

/** Writes a value as 16 hexadecimal digits. */
function hex64(value: Long): string {
  return value.toUnsigned().toString(16).padStart(16, '0');
}

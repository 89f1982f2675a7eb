import { damagedProfile } from './profile-error.js';

const decoder = new TextDecoder();
const MAX_LEB128_SIZE = 10;
const TWO_32 = 2 ** 32;
/** Limit of the high half of a number. Numbers whose high half is below are exact. */
const EXACT_HIGH = 2 ** 21;

/** Reads the primitive values of the binary forms from one section, and never past its end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  readonly #end: number;
  /** Low half of the ULEB128 that was read last; `#high` is the high half. */
  #low = 0;
  #high = 0;

  /** Makes a reader of `bytes` from `start` to `end`. */
  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Reads a ULEB128 of up to 64 bits. */
  uleb(): bigint {
    this.#readUleb();
    return joined(this.#low, this.#high);
  }

  /** Reads a ULEB128 into two halves, which is much faster than computing with a bigint. */
  #readUleb(): void {
    let low = 0;
    let high = 0;
    for (let index = 0; index < MAX_LEB128_SIZE; index++) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else {
        if (index === MAX_LEB128_SIZE - 1 && bits > 1) break;
        high |= bits << (7 * index - 32);
      }
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    throw damagedProfile(`offset ${this.#at}`, 'a number of more than 64 bits');
  }

  /** Reads a ULEB128 that must be below `limit`: an index, a size, or a number of items. */
  ulebBelow(limit: number, what: string): number {
    const at = this.#at;
    this.#readUleb();
    if (this.#high !== 0 || this.#low >= limit) {
      const found = joined(this.#low, this.#high);
      throw damagedProfile(`offset ${at}`, `${what} ${found} (there can be at most ${limit - 1})`);
    }
    return this.#low;
  }

  /** Reads the number of the items that follow. Each item has at least one byte. */
  count(what: string): number {
    return this.ulebBelow(this.remaining + 1, what);
  }

  /** Reads a ULEB128 of up to 32 bits. */
  u32(what: string): number {
    return this.ulebBelow(2 ** 32, what);
  }

  /** Reads a little-endian u64. */
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** Reads the text up to the next NUL byte, and the NUL byte. */
  cString(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0 || end >= this.#end) throw damagedProfile(`offset ${this.#at}`, 'a name without an end');
    const text = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  /** Returns the next `size` bytes, without a copy. */
  bytes(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  #take(size: number): number {
    if (size > this.#end - this.#at) throw damagedProfile(`offset ${this.#at}`, 'the end of its section');
    const at = this.#at;
    this.#at += size;
    return at;
  }
}

function joined(low: number, high: number): bigint {
  return high < EXACT_HIGH ? BigInt(high * TWO_32 + low) : (BigInt(high) << 32n) | BigInt(low);
}

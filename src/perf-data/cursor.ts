import type Long from 'long';
import { u64, u64AsNumber } from './u64.js';

/** A field or an array would pass the end of the bytes that hold it. */
export class TruncatedError extends Error {}

/** Reads one value after the other, and never past the end of the bytes. */
export class Cursor {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #littleEndian: boolean;
  #offset = 0;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#littleEndian = littleEndian;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Returns the next `count` bytes, without a copy. */
  bytes(count: number): Uint8Array {
    return this.#bytes.subarray(this.#advance(count), this.#offset);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), this.#littleEndian);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), this.#littleEndian);
  }

  u64(): Long {
    return u64(this.#view, this.#advance(8), this.#littleEndian);
  }

  u64AsNumber(): number {
    return u64AsNumber(this.#view, this.#advance(8), this.#littleEndian);
  }

  /** Reads a string of a feature section: a u32 length, then that number of bytes with a NUL byte among them. */
  string(): string {
    return cString(this.bytes(this.u32()));
  }

  #advance(count: number): number {
    if (count > this.remaining) throw new TruncatedError(`${count} bytes wanted, ${this.remaining} left`);
    const at = this.#offset;
    this.#offset += count;
    return at;
  }
}

const decoder = new TextDecoder();

/** Returns the text up to the first NUL byte, or the whole text if there is no NUL byte. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}

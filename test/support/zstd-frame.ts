import { ByteBuilder } from './perf-data-builder.js';

const MAX_BLOCK_SIZE = 1 << 17;

/**
 * Writes a zstd frame (RFC 8878) that never ends and stores its data uncompressed. A reader of recordings must
 * handle the framing.
 */
export class StoredZstdFrame {
  #begun = false;

  /** Returns the next piece of the stream. */
  push(data: Uint8Array): Uint8Array {
    const out = new ByteBuilder(true);
    if (!this.#begun) {
      const windowOf2MiB = 0x58;
      out.u32(0xfd2fb528).raw([0, windowOf2MiB]);
      this.#begun = true;
    }
    for (let at = 0; at < data.length; at += MAX_BLOCK_SIZE) {
      const block = data.subarray(at, at + MAX_BLOCK_SIZE);
      const rawAndNotLast = 0;
      out.number((block.length << 3) | rawAndNotLast, 3).raw(block);
    }
    return out.toBytes();
  }
}

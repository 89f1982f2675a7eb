/** Assembles perf.data files in memory, in either byte order. Layout: perf.data-file-format.txt. */

export interface BranchEntry {
  from: bigint;
  to: bigint;
  flags?: bigint;
}

export const SAMPLE_TYPE = {
  ip: 1n << 0n,
  tid: 1n << 1n,
  time: 1n << 2n,
  read: 1n << 4n,
  callchain: 1n << 5n,
  raw: 1n << 10n,
  branchStack: 1n << 11n,
  identifier: 1n << 16n,
};

export interface AttrFields {
  type?: number;
  config?: bigint;
  period?: bigint;
  sampleType?: bigint;
  readFormat?: bigint;
  branchSampleType?: bigint;
  /** Numbers of the bits as the ABI counts them. */
  flagBits?: number[];
  size?: number;
}

/** A growing sequence of bytes in one byte order. */
export class ByteBuilder {
  readonly littleEndian: boolean;
  #bytes: number[] = [];

  constructor(littleEndian: boolean) {
    this.littleEndian = littleEndian;
  }

  get length(): number {
    return this.#bytes.length;
  }

  number(value: number | bigint, size: number): this {
    const digits = Array.from({ length: size }, (_, index) =>
      Number((BigInt(value) >> BigInt(8 * index)) & 0xffn),
    );
    this.#bytes.push(...(this.littleEndian ? digits : digits.reverse()));
    return this;
  }

  u16(value: number): this {
    return this.number(value, 2);
  }

  u32(value: number): this {
    return this.number(value, 4);
  }

  u64(value: number | bigint): this {
    return this.number(BigInt.asUintN(64, BigInt(value)), 8);
  }

  raw(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** Appends a text with a NUL byte, padded with NUL bytes to a multiple of `align`. */
  text(text: string, align = 8): this {
    const bytes = [...Buffer.from(text), 0];
    while (bytes.length % align !== 0) bytes.push(0);
    return this.raw(bytes);
  }

  toBytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Builds the records and sections of one file. */
export class PerfDataBuilder {
  readonly littleEndian: boolean;
  readonly #attrs: { attr: Uint8Array; ids: bigint[] }[] = [];
  readonly #records: Uint8Array[] = [];
  readonly #features = new Map<number, Uint8Array>();

  constructor({ littleEndian = true } = {}) {
    this.littleEndian = littleEndian;
  }

  bytes(): ByteBuilder {
    return new ByteBuilder(this.littleEndian);
  }

  attrBytes(fields: AttrFields): Uint8Array {
    const size = fields.size ?? 136;
    let flags = 0n;
    for (const bit of fields.flagBits ?? []) flags |= 1n << BigInt(this.littleEndian ? bit : 63 - bit);
    return this.bytes()
      .u32(fields.type ?? 0)
      .u32(size)
      .u64(fields.config ?? 0n)
      .u64(fields.period ?? 1000n)
      .u64(fields.sampleType ?? 0n)
      .u64(fields.readFormat ?? 0n)
      .u64(flags)
      .raw(new Uint8Array(24))
      .u64(fields.branchSampleType ?? 0n)
      .raw(new Uint8Array(Math.max(0, size - 80)))
      .toBytes()
      .subarray(0, size);
  }

  event(fields: AttrFields, ids: bigint[] = []): this {
    this.#attrs.push({ attr: this.attrBytes(fields), ids });
    return this;
  }

  record(type: number, misc: number, body: Uint8Array, size = body.length + 8): this {
    this.#records.push(this.bytes().u32(type).u16(misc).u16(size).raw(body).toBytes());
    return this;
  }

  mmap(pid: number, start: bigint, length: bigint, path: string): this {
    const body = this.bytes().u32(pid).u32(pid).u64(start).u64(length).u64(0).text(path);
    return this.record(1, 2, body.toBytes());
  }

  /** Adds a sample of IP, TID, TIME and BRANCH_STACK. */
  sample(fields: {
    ip?: bigint;
    pid?: number;
    time?: bigint;
    /** The call chain, markers included, if the event has one. */
    callChain?: bigint[];
    branches: BranchEntry[];
    hwIndex?: bigint;
  }): this {
    const body = this.bytes()
      .u64(fields.ip ?? 0n)
      .u32(fields.pid ?? 1)
      .u32(fields.pid ?? 1)
      .u64(fields.time ?? 1n);
    if (fields.callChain !== undefined) {
      body.u64(fields.callChain.length);
      for (const word of fields.callChain) body.u64(word);
    }
    body.u64(fields.branches.length);
    if (fields.hwIndex !== undefined) body.u64(fields.hwIndex);
    for (const { from, to, flags = 0n } of fields.branches) body.u64(from).u64(to).u64(flags);
    return this.record(9, 2, body.toBytes());
  }

  feature(number: number, section: Uint8Array): this {
    this.#features.set(number, section);
    return this;
  }

  /** Returns a string in the form of feature sections. */
  featureString(text: string): Uint8Array {
    const padded = this.bytes().text(text, 64).toBytes();
    return this.bytes().u32(padded.length).raw(padded).toBytes();
  }

  /** Returns the data section. */
  data(): Uint8Array {
    return Buffer.concat(this.#records);
  }

  /** Returns the bytes of a file. `dataSize` overrides the data size in its header. */
  file({ dataSize }: { dataSize?: number } = {}): Uint8Array {
    const entrySize = (this.#attrs[0]?.attr.length ?? 136) + 16;
    const ids = this.bytes();
    const idSections = this.#attrs.map(({ ids: own }) => {
      const offset = 104 + ids.length;
      for (const id of own) ids.u64(id);
      return { offset, size: own.length * 8 };
    });
    const attrs = this.bytes();
    for (const [index, { attr }] of this.#attrs.entries()) {
      const section = idSections[index];
      attrs
        .raw(attr)
        .u64(section?.offset ?? 0)
        .u64(section?.size ?? 0);
    }
    const attrsOffset = 104 + ids.length;
    const dataOffset = attrsOffset + attrs.length;
    const data = this.data();
    const numbers = [...this.#features.keys()].sort((a, b) => a - b);
    let featureOffset = dataOffset + data.length + numbers.length * 16;
    const table = this.bytes();
    const sections: Uint8Array[] = [];
    let bitmap = 0n;
    for (const number of numbers) {
      const section = this.#features.get(number) ?? new Uint8Array(0);
      table.u64(featureOffset).u64(section.length);
      featureOffset += section.length;
      sections.push(section);
      bitmap |= 1n << BigInt(number);
    }
    const header = this.bytes()
      .raw(Buffer.from(this.littleEndian ? 'PERFILE2' : '2ELIFREP'))
      .u64(104)
      .u64(entrySize)
      .u64(attrsOffset)
      .u64(attrs.length)
      .u64(dataOffset)
      .u64(dataSize ?? data.length)
      .u64(0)
      .u64(0)
      .u64(bitmap)
      .u64(bitmap >> 64n)
      .u64(bitmap >> 128n)
      .u64(bitmap >> 192n);
    return Buffer.concat([
      header.toBytes(),
      ids.toBytes(),
      attrs.toBytes(),
      data,
      table.toBytes(),
      ...sections,
    ]);
  }

  /** Returns the same records as a pipe stream. */
  pipe(): Uint8Array {
    const stream = this.bytes()
      .raw(Buffer.from(this.littleEndian ? 'PERFILE2' : '2ELIFREP'))
      .u64(16);
    const parts: Uint8Array[] = [stream.toBytes()];
    for (const { attr, ids } of this.#attrs) {
      const body = this.bytes().raw(attr);
      for (const id of ids) body.u64(id);
      parts.push(recordBytes(this.bytes(), 64, body.toBytes()));
    }
    for (const [number, section] of this.#features) {
      parts.push(recordBytes(this.bytes(), 80, this.bytes().u64(number).raw(section).toBytes()));
    }
    parts.push(this.data());
    return Buffer.concat(parts);
  }
}

function recordBytes(builder: ByteBuilder, type: number, body: Uint8Array): Uint8Array {
  return builder
    .u32(type)
    .u16(0)
    .u16(body.length + 8)
    .raw(body)
    .toBytes();
}

/** Type, sample type and flags of a usual recording of branches. */
export const BRANCH_EVENT: AttrFields = {
  sampleType: SAMPLE_TYPE.ip | SAMPLE_TYPE.tid | SAMPLE_TYPE.time | SAMPLE_TYPE.branchStack,
  branchSampleType: 0b1001n, // user, any
};

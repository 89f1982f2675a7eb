// binary-parser 2.3 has declarations that its "exports" hide from NodeNext resolution. This file declares the part
// of it that is used here.
declare module 'binary-parser' {
  export class Parser {
    endianness(order: 'little' | 'big'): this;
    uint16(name: string): this;
    uint32(name: string): this;
    int32(name: string): this;
    nest(name: string, options: { type: Parser; formatter?: (item: never) => unknown }): this;
    array(
      name: string,
      options: { type: Parser; length: number; formatter?: (item: never) => unknown },
    ): this;
    seek(bytes: number): this;
    parse(bytes: Uint8Array): unknown;
  }
}

/** Rewrites a recording of one event in the form that `perf record -o -` writes. */
export function asPipe(file: Buffer): Buffer {
  const word = (at: number) => Number(file.readBigUInt64LE(at));
  const attr = file.subarray(word(24), word(24) + word(16) - 16);
  const header = Buffer.from('PERFILE2\x10\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0');
  header.writeUInt16LE(8 + attr.length, 22);
  return Buffer.concat([header, attr, file.subarray(word(40), word(40) + word(48))]);
}

import { createHash } from 'node:crypto';

/**
 * What profiles with MD5 names have in place of `name`: the first eight bytes of its MD5, read as little endian, in
 * hexadecimal digits (LLVM: `MD5Hash`).
 */
export function nameHash(name: string): string {
  const digest = createHash('md5').update(name).digest();
  return digest.readBigUInt64LE().toString(16).padStart(16, '0');
}

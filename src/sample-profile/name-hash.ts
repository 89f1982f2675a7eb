import { createHash } from 'node:crypto';

/**
 * Returns the hash that profiles with MD5 names have instead of `name`: the first eight bytes of the MD5 of the
 * name, read as little endian, in hexadecimal digits (LLVM: `MD5Hash`).
 */
export function nameHash(name: string): string {
  const digest = createHash('md5').update(name).digest();
  return digest.readBigUInt64LE().toString(16).padStart(16, '0');
}

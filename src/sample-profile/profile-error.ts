import { AutofdoError } from '../errors.js';

/** Makes the error for a profile that does not follow its format. `where` is an offset or a line. */
export function damagedProfile(where: string, found: string): AutofdoError {
  return new AutofdoError('INPUT_INVALID', `not a valid sample profile: ${found} at ${where}`, {
    hint: 'if it is another kind of file, `autofdo-gen show FILE` says which; if it is a profile, make it again',
  });
}

/** The remedy for a profile in an encoding that is newer than this program. */
export const NEWER_LLVM =
  'it was written by another release of LLVM; convert it with the llvm-profdata of that release: `llvm-profdata merge --sample --text OLD -o NEW`';

/** Largest depth of nested inlined functions. No compiler nests them deeper. The core has the same limit. */
export const MAX_INLINE_DEPTH = 1024;

/** Makes the error for inlined functions that are nested deeper than {@link MAX_INLINE_DEPTH}. */
export function nestedTooDeep(where: string): AutofdoError {
  return damagedProfile(where, `inlining nested deeper than ${MAX_INLINE_DEPTH} levels`);
}

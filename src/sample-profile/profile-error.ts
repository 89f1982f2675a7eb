import { AutofdoError } from '../errors.js';

/** A profile that does not follow its format; `where` is an offset or a line. */
export function damagedProfile(where: string, found: string): AutofdoError {
  return new AutofdoError('INPUT_INVALID', `not a valid sample profile: ${found} at ${where}`, {
    hint: 'if it is another kind of file, `autofdo-gen show FILE` says which; if it is a profile, make it again',
  });
}

/** What to do about a profile of an encoding that is newer than this program. */
export const NEWER_LLVM =
  'it was written by another release of LLVM; convert it with the llvm-profdata of that release: `llvm-profdata merge --sample --text OLD -o NEW`';

/** Inlined functions nest no deeper than this in anything a compiler makes. The core has the same limit. */
export const MAX_INLINE_DEPTH = 1024;

/** Says that inlined functions are nested deeper than that. */
export function nestedTooDeep(where: string): AutofdoError {
  return damagedProfile(where, `inlining nested deeper than ${MAX_INLINE_DEPTH} levels`);
}

import { AutofdoError } from '../errors.js';

/** A profile that does not follow its format; `where` is an offset or a line. */
export function damagedProfile(where: string, found: string): AutofdoError {
  return new AutofdoError('INPUT_INVALID', `not a valid sample profile: ${found} at ${where}`);
}

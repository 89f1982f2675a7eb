import { getSystemErrorMap } from 'node:util';

/** Why the system refused something, in its own words: `no such file or directory`, without codes and names of calls. */
export function failureReason(cause: unknown): string {
  const { errno, message } = cause as NodeJS.ErrnoException;
  const [, words] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return words ?? message ?? String(cause);
}

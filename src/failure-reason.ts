import { getSystemErrorMap } from 'node:util';

/**
 * Returns the system's reason for an error, without codes and names of system calls: `no such file or directory`.
 */
export function failureReason(cause: unknown): string {
  const { errno, message } = cause as NodeJS.ErrnoException;
  const [, words] = (errno === undefined ? undefined : getSystemErrorMap().get(errno)) ?? [];
  return words ?? message ?? String(cause);
}

/** The options of a job that decide whether it may ask servers for files. */
export interface FetchOptions {
  /** False turns fetching off. Otherwise `DEBUGINFOD_URLS` decides. */
  debuginfod?: boolean | undefined;
  /** With this option nothing is fetched, because llvm-profgen fetches nothing. */
  compat?: 'llvm-profgen' | undefined;
}

/** True if a job with these options may fetch files. Only then is the code loaded that fetches files. */
export function mayFetch({ debuginfod, compat }: FetchOptions): boolean {
  return debuginfod !== false && compat === undefined && serverAddresses().length > 0;
}

/** Returns the base addresses of the servers in `DEBUGINFOD_URLS`. If there are none, debuginfod is off. */
export function serverAddresses(env: NodeJS.ProcessEnv = process.env): string[] {
  const words = (env['DEBUGINFOD_URLS'] ?? '').split(/\s+/);
  // Words such as `ima:enforcing` are policies of elfutils and not addresses.
  return words.filter((word) => /^https?:\/\//.test(word)).map((url) => url.replace(/\/+$/, ''));
}

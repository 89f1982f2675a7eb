import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { serverAddresses } from './servers.js';

/** The settings of debuginfod in the environment, as elfutils' client reads them (debuginfod-client-config(7)). */
export interface DebuginfodSettings {
  /** Base addresses of servers, from `DEBUGINFOD_URLS`. */
  urls: readonly string[];
  /** Folder of the cache. */
  cache: string;
  /** Time in seconds within which at least 100 kB must arrive, from `DEBUGINFOD_TIMEOUT`; 0: no limit. */
  timeout: number;
  /** Longest time for one file in seconds, from `DEBUGINFOD_MAXTIME`; 0: no limit. */
  maxTime: number;
  /** Largest size of one file in bytes, from `DEBUGINFOD_MAXSIZE`; 0: no limit. */
  maxSize: number;
  /** Number of times that servers without an answer are asked again, from `DEBUGINFOD_RETRY_LIMIT`. */
  retries: number;
  /** Headers of each request: the lines of the file that `DEBUGINFOD_HEADERS_FILE` names. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Time in seconds for which the cache remembers that no server has a file, from `cache_miss_s` in the cache. */
  missSeconds: number;
}

/** Default timeout of elfutils, in seconds. */
const DEFAULT_TIMEOUT = 90;
const DEFAULT_RETRIES = 2;
const DEFAULT_MISS_SECONDS = 600;

/** Returns the settings, or `undefined` if no server is named, which turns debuginfod off. */
export function debuginfodSettings(env: NodeJS.ProcessEnv = process.env): DebuginfodSettings | undefined {
  const urls = serverAddresses(env);
  if (urls.length === 0) return undefined;
  const cache = cacheFolder(env);
  return {
    urls,
    cache,
    timeout: limit(env['DEBUGINFOD_TIMEOUT'], DEFAULT_TIMEOUT),
    maxTime: limit(env['DEBUGINFOD_MAXTIME'], 0),
    maxSize: limit(env['DEBUGINFOD_MAXSIZE'], 0),
    retries: limit(env['DEBUGINFOD_RETRY_LIMIT'], DEFAULT_RETRIES),
    headers: headersOf(env['DEBUGINFOD_HEADERS_FILE']),
    missSeconds: numberAtStart(textOf(join(cache, 'cache_miss_s'))) ?? DEFAULT_MISS_SECONDS,
  };
}

/**
 * Reads a number from the environment as elfutils does, with atol: a text that does not begin with a number is 0.
 * A number below 0 has the effect of 0. Returns `otherwise` if the variable is not set.
 */
function limit(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : (numberAtStart(text) ?? 0);
}

/**
 * Returns the whole number at the start of a text, at least 0. Returns `undefined` if the text does not start with
 * a number.
 */
function numberAtStart(text: string): number | undefined {
  const [, digits] = /^\s*([+-]?\d+)/.exec(text) ?? [];
  return digits === undefined ? undefined : Math.max(0, Number(digits));
}

/** Returns the text of a small file. Returns an empty text if the file cannot be read, as elfutils does. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** Returns the headers in a file, one `Name: value` on each line. Other lines are ignored. */
function headersOf(file: string | undefined): [string, string][] {
  if (file === undefined || file === '') return [];
  const lines = textOf(file).split('\n');
  return lines.flatMap((line) => {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)\s*$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as [string, string]];
  });
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const named = env['DEBUGINFOD_CACHE_PATH'];
  if (named !== undefined && named !== '') return named;
  const home = env['HOME'] ?? homedir();
  const old = join(home, '.debuginfod_client_cache');
  if (existsSync(old)) return old;
  return join(env['XDG_CACHE_HOME'] || join(home, '.cache'), 'debuginfod_client');
}

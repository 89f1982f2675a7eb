import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the environment says of debuginfod servers, as elfutils' client reads it (debuginfod-client-config(7)). */
export interface DebuginfodSettings {
  /** Base addresses of servers, from `DEBUGINFOD_URLS`. */
  urls: readonly string[];
  /** The folder of the cache. */
  cache: string;
  /** Seconds in which at least 100 kB must arrive, from `DEBUGINFOD_TIMEOUT`; 0: no limit. */
  timeout: number;
  /** Seconds for one file, from `DEBUGINFOD_MAXTIME`; 0: no limit. */
  maxTime: number;
  /** Bytes of one file, from `DEBUGINFOD_MAXSIZE`; 0: no limit. */
  maxSize: number;
  /** How often servers are asked again that did not answer, from `DEBUGINFOD_RETRY_LIMIT`. */
  retries: number;
  /** Sent with each request: the lines of the file that `DEBUGINFOD_HEADERS_FILE` names. */
  headers: readonly (readonly [name: string, value: string])[];
  /** Seconds for which it is remembered that no server has a file, from `cache_miss_s` in the cache. */
  missSeconds: number;
}

/** elfutils' default. */
const DEFAULT_TIMEOUT = 90;
const DEFAULT_RETRIES = 2;
const DEFAULT_MISS_SECONDS = 600;

/** The settings; undefined where no server is named, which turns all of this off. */
export function debuginfodSettings(env: NodeJS.ProcessEnv = process.env): DebuginfodSettings | undefined {
  const words = (env['DEBUGINFOD_URLS'] ?? '').split(/\s+/);
  // Words such as `ima:enforcing` are policies of elfutils and no addresses.
  const urls = words.filter((word) => /^https?:\/\//.test(word)).map((url) => url.replace(/\/+$/, ''));
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

/** A variable as elfutils reads it, with atol: what is set and begins with no number is 0. What is below 0 has the effect of 0. */
function limit(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : (numberAtStart(text) ?? 0);
}

/** The whole number that a text begins with, at least 0; undefined if it begins with none. */
function numberAtStart(text: string): number | undefined {
  const [, digits] = /^\s*([+-]?\d+)/.exec(text) ?? [];
  return digits === undefined ? undefined : Math.max(0, Number(digits));
}

/** The text of a small file; empty if it cannot be read, as elfutils has it. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** `Name: value`, one a line. Other lines say nothing. */
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

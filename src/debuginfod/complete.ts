import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAddon } from '../addon.js';
import { AutofdoError } from '../errors.js';
import { runExamine } from '../native.js';
import { list } from '../options/check.js';
import type { Progress } from '../progress.js';
import type { BinaryResult, Diagnostic } from '../result.js';
import { fetchByBuildId } from './client.js';
import { type FetchOptions, mayFetch } from './servers.js';
import { type DebuginfodSettings, debuginfodSettings } from './settings.js';

/** The options of a job that control how debug files are fetched. */
export interface DebugFileOptions extends FetchOptions {
  debugBinary?: string | undefined;
  dwp?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Number of rounds of looking and fetching. The first finds the debug file; a later one finds the file into which
 * dwz moved a part of it.
 */
const ROUNDS = 3;

/** Least share of the samples that a program must have to be fetched. */
const MIN_SHARE = 0.01;

/** The inputs of a job. */
export interface JobOptions extends DebugFileOptions {
  binary?: string | readonly string[] | undefined;
  binaryDir?: string | readonly string[] | undefined;
  /** If true, programs that the recordings map and that are not on this machine are fetched, too. */
  allBinaries?: boolean | undefined;
  perfData?: string | readonly string[] | undefined;
  perfScript?: string | readonly string[] | undefined;
}

/** Options that fetching adds to those of a job. */
export interface FetchedFiles {
  /** Folder of the cache. The core looks for debug files there last. */
  debuginfodCache?: string;
  /** Folders to look for binaries in: those of the job, and those with fetched binaries. */
  binaryDirs?: string[];
}

/**
 * Fetches the missing files of a job's binaries by build id: debug information and symbols, the file of dwz, and
 * with `allBinaries` the programs themselves. Then runs the job. If the job leaves binaries of `binaryDir` without
 * a profile and a server has their missing files, the job runs again. The notes about fetching are in the
 * diagnostics of the result, or in the hint of the error.
 */
export async function withFetchedFiles<T extends { diagnostics: Diagnostic[]; binaries?: BinaryResult[] }>(
  options: JobOptions,
  job: (fetched: FetchedFiles) => Promise<T>,
): Promise<T> {
  const settings = mayFetch(options) ? debuginfodSettings() : undefined;
  if (settings === undefined) return job({});
  const notes: Diagnostic[] = [];
  const mapped = options.allBinaries === true ? await mappedBinaries(settings, options, notes) : [];
  notes.push(...(await fetchDebugFiles([...list(options.binary), ...mapped], settings, options)));
  const folders = mapped.filter((path) => path.startsWith(join(settings.cache, '/'))).map(dirname);
  const fetched: FetchedFiles = {
    debuginfodCache: settings.cache,
    ...(folders.length > 0 && { binaryDirs: [...list(options.binaryDir), ...folders] }),
  };
  const first = await job(fetched).catch((error: unknown) => asFailure(error));
  const looksInFolders = options.binaryDir !== undefined && canReadAgain(options);
  const named = new Set(list(options.binary));
  const lacking = looksInFolders ? binariesWithoutProfile(first).filter((path) => !named.has(path)) : [];
  const more = await fetchMissing(lacking, settings, options);
  notes.push(...more.diagnostics);
  const result = more.fetched === 0 ? first : await job(fetched).catch((error: unknown) => asFailure(error));
  if (!(result instanceof AutofdoError)) {
    result.diagnostics.unshift(...notes);
    return result;
  }
  if (notes.length === 0) throw result;
  const { code, message, path, cause } = result;
  const hint = [result.hint, ...notes.map((note) => `debuginfod: ${note.message}.`)]
    .filter(Boolean)
    .join(' ');
  throw new AutofdoError(code, message, { hint, path, cause });
}

/** Returns an `AutofdoError`, which is a failure of the job. Throws any other error again. */
function asFailure(error: unknown): AutofdoError {
  if (error instanceof AutofdoError) return error;
  throw error;
}

/**
 * Returns the paths of binaries that have no profile. Only the job finds out which files of `binaryDir` were
 * mapped.
 */
function binariesWithoutProfile(outcome: AutofdoError | { binaries?: readonly BinaryResult[] }): string[] {
  if (outcome instanceof AutofdoError) return outcome.path === undefined ? [] : [outcome.path];
  return (outcome.binaries ?? []).filter(({ error }) => error !== undefined).map(({ path }) => path);
}

/** True if the inputs of a job can be read a second time. */
function canReadAgain({ perfData, perfScript }: JobOptions): boolean {
  return [...list(perfData), ...list(perfScript)].every((path) => path !== '-' && isReadableTwice(path));
}

function isReadableTwice(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === false;
}

/**
 * Returns the programs and libraries that the recordings map, if their build id is known and they have enough of
 * the samples. Files of this machine are returned as they are; others are fetched into the cache.
 */
async function mappedBinaries(
  settings: DebuginfodSettings,
  { perfData, signal, onProgress }: JobOptions,
  diagnostics: Diagnostic[],
): Promise<string[]> {
  const files = list(perfData).filter(isReadableTwice);
  const found = new Set<string>();
  // The reader of recordings would take a fifth of a small job's time, and other jobs do not need it.
  const { inspectPerfData } = await import('../perf-data/inspect.js');
  for (const file of files) {
    // The job itself reports what is wrong with a recording.
    const summary = await inspectPerfData(file, { signal }).catch(() => undefined);
    signal?.throwIfAborted();
    for (const { path, buildId, samples } of summary?.images ?? []) {
      if (buildId === undefined || !path.startsWith('/')) continue;
      if (Number(samples) < MIN_SHARE * Number(summary?.samples)) continue;
      const isHere = (await loadAddon()).buildIdOf(path) === buildId;
      const fetching = { settings, signal, onProgress: downloadReporter(onProgress), diagnostics };
      const binary = isHere ? path : await fetchByBuildId(buildId, 'executable', fetching);
      if (binary !== undefined) found.add(binary);
    }
  }
  return [...found];
}

function downloadReporter(onProgress: DebugFileOptions['onProgress']) {
  return onProgress && ((done: number, total: number) => onProgress({ phase: 'download', done, total }));
}

/** Fetches the missing files of `binaries`. Resolves to notes about what was fetched. */
export async function fetchDebugFiles(
  binaries: readonly string[],
  settings: DebuginfodSettings,
  options: DebugFileOptions,
): Promise<Diagnostic[]> {
  return (await fetchMissing(binaries, settings, options)).diagnostics;
}

async function fetchMissing(
  binaries: readonly string[],
  settings: DebuginfodSettings,
  { debugBinary, dwp, signal, onProgress }: DebugFileOptions,
): Promise<{ fetched: number; diagnostics: Diagnostic[] }> {
  let fetched = 0;
  const diagnostics: Diagnostic[] = [];
  const report = downloadReporter(onProgress);
  const tried = new Set<string>();
  for (const binary of binaries) {
    for (let round = 0; round < ROUNDS; round++) {
      const lacks = await missingBuildIds(binary, debugBinary, dwp, settings.cache, signal);
      const wanted = lacks.filter((id) => !tried.has(id));
      for (const id of wanted) {
        tried.add(id);
        const fetching = { settings, signal, onProgress: report, diagnostics };
        if ((await fetchByBuildId(id, 'debuginfo', fetching)) !== undefined) fetched++;
      }
      if (wanted.length === 0) break;
    }
  }
  return { fetched, diagnostics };
}

/**
 * Returns the build ids of files that a binary needs and that are not on this machine. The core finds them when it
 * looks for these files.
 */
async function missingBuildIds(
  binary: string,
  debugBinary: string | undefined,
  dwp: string | undefined,
  debuginfodCache: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  try {
    const request = {
      binary,
      debuginfodCache,
      ...(debugBinary !== undefined && { debugBinary }),
      ...(dwp !== undefined && { dwp }),
    };
    const found = await runExamine(request, { signal });
    return found.missingBuildIds;
  } catch {
    // The job itself reports what is wrong with the file.
    signal?.throwIfAborted();
    return [];
  }
}

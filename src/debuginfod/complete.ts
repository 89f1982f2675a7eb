import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAddon } from '../addon.js';
import { AutofdoError } from '../errors.js';
import { runExamine } from '../native.js';
import { list } from '../options/check.js';
import type { Progress } from '../progress.js';
import type { BinaryResult, Diagnostic } from '../result.js';
import { fetchByBuildId } from './client.js';
import { type DebuginfodSettings, debuginfodSettings } from './settings.js';

/** What tells how debug files are fetched. */
export interface DebugFileOptions {
  debugBinary?: string | undefined;
  dwp?: string | undefined;
  /** False turns it off; otherwise `DEBUGINFOD_URLS` decides. */
  debuginfod?: boolean | undefined;
  /** llvm-profgen fetches nothing. */
  compat?: 'llvm-profgen' | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** Rounds of looking and fetching: the debug file, then the file that dwz moved a part of it to. */
const ROUNDS = 3;

/** Programs that have less of the samples are not fetched. */
const LEAST_SHARE = 0.01;

/** What a job is about. */
export interface JobOptions extends DebugFileOptions {
  binary?: string | readonly string[] | undefined;
  binaryDir?: string | readonly string[] | undefined;
  /** Programs that the recordings map and that are not on this machine are fetched, too. */
  allBinaries?: boolean | undefined;
  perfData?: string | readonly string[] | undefined;
  perfScript?: string | readonly string[] | undefined;
}

/** What a job gets in addition to its options. */
export interface FetchedFiles {
  /** The cache, in which the core looks for debug files last. */
  debuginfodCache?: string;
  /** Folders to look for binaries in, those of the job and those with fetched ones. */
  binaryDirs?: string[];
}

/**
 * Fetches what the binaries of a job lack, by build id: debug information and symbols, the file of dwz, and with `allBinaries` the
 * programs themselves. Then runs the job. If that leaves binaries of `binaryDir` without a profile and a server has what they lack, the
 * job runs again. What happened is among the diagnostics of the result, or in the hint of the error.
 */
export async function withFetchedFiles<T extends { diagnostics: Diagnostic[]; binaries?: BinaryResult[] }>(
  options: JobOptions,
  job: (fetched: FetchedFiles) => Promise<T>,
): Promise<T> {
  const off = options.debuginfod === false || options.compat !== undefined;
  const settings = off ? undefined : debuginfodSettings();
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
  const lacking = looksInFolders ? withoutProfile(first).filter((path) => !named.has(path)) : [];
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

/** What a job may fail with; all else is thrown again. */
function asFailure(error: unknown): AutofdoError {
  if (error instanceof AutofdoError) return error;
  throw error;
}

/** Only the job finds out which files of `binaryDir` were mapped. These have no profile. */
function withoutProfile(outcome: AutofdoError | { binaries?: readonly BinaryResult[] }): string[] {
  if (outcome instanceof AutofdoError) return outcome.path === undefined ? [] : [outcome.path];
  return (outcome.binaries ?? []).filter(({ error }) => error !== undefined).map(({ path }) => path);
}

/** Whether what a job reads is still there after it. */
function canReadAgain({ perfData, perfScript }: JobOptions): boolean {
  return [...list(perfData), ...list(perfScript)].every((path) => path !== '-' && isNoFifo(path));
}

function isNoFifo(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFIFO() === false;
}

/**
 * The programs and libraries that recordings map, if their build id is known and they have a share of the samples: those of this machine,
 * and in the cache what had to be fetched.
 */
async function mappedBinaries(
  settings: DebuginfodSettings,
  { perfData, signal, onProgress }: JobOptions,
  diagnostics: Diagnostic[],
): Promise<string[]> {
  const files = list(perfData).filter(isNoFifo);
  const found = new Set<string>();
  // Other jobs do without this reader, which would be a fifth of a small job's time.
  const { inspectPerfData } = await import('../perf-data/inspect.js');
  for (const file of files) {
    // The job itself says what is wrong with a recording.
    const summary = await inspectPerfData(file, { signal }).catch(() => undefined);
    signal?.throwIfAborted();
    for (const { path, buildId, samples } of summary?.images ?? []) {
      if (buildId === undefined || !path.startsWith('/')) continue;
      if (Number(samples) < LEAST_SHARE * Number(summary?.samples)) continue;
      const isHere = (await loadAddon()).buildIdOf(path) === buildId;
      const fetching = { settings, signal, onProgress: reporter(onProgress), diagnostics };
      const binary = isHere ? path : await fetchByBuildId(buildId, 'executable', fetching);
      if (binary !== undefined) found.add(binary);
    }
  }
  return [...found];
}

function reporter(onProgress: DebugFileOptions['onProgress']) {
  return onProgress && ((done: number, total: number) => onProgress({ phase: 'download', done, total }));
}

/** Fetches what `binaries` lack; resolves to what happened. */
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
  const report = reporter(onProgress);
  const tried = new Set<string>();
  for (const binary of binaries) {
    for (let round = 0; round < ROUNDS; round++) {
      const lacks = await missing(binary, debugBinary, dwp, settings.cache, signal);
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

/** Build ids of files that a binary needs and that are not on this machine, as the core found when it looked for them. */
async function missing(
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
    // The job itself says what is wrong with the file.
    signal?.throwIfAborted();
    return [];
  }
}

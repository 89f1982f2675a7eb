import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAddon } from '../addon.js';
import { AutofdoError } from '../errors.js';
import { runExamine } from '../native.js';
import { list } from '../options/check.js';
import type { Progress } from '../progress.js';
import type { Diagnostic } from '../result.js';
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
 * programs themselves. Then runs the job. What happened is among the diagnostics of the result, or in the hint of the error.
 */
export async function withFetchedFiles<T extends { diagnostics: Diagnostic[] }>(
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
  try {
    const result = await job({
      debuginfodCache: settings.cache,
      ...(folders.length > 0 && { binaryDirs: [...list(options.binaryDir), ...folders] }),
    });
    result.diagnostics.unshift(...notes);
    return result;
  } catch (error) {
    if (!(error instanceof AutofdoError) || notes.length === 0) throw error;
    const { code, message, path, cause } = error;
    const hint = [error.hint, ...notes.map((note) => `debuginfod: ${note.message}.`)]
      .filter(Boolean)
      .join(' ');
    throw new AutofdoError(code, message, { hint, path, cause });
  }
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
  const files = list(perfData).filter(
    (path) => statSync(path, { throwIfNoEntry: false })?.isFIFO() === false,
  );
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
  { debugBinary, dwp, signal, onProgress }: DebugFileOptions,
): Promise<Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  const report = reporter(onProgress);
  const tried = new Set<string>();
  for (const binary of binaries) {
    for (let round = 0; round < ROUNDS; round++) {
      const lacks = await missing(binary, debugBinary, dwp, settings.cache, signal);
      const wanted = lacks.filter((id) => !tried.has(id));
      for (const id of wanted) {
        tried.add(id);
        await fetchByBuildId(id, 'debuginfo', { settings, signal, onProgress: report, diagnostics });
      }
      if (wanted.length === 0) break;
    }
  }
  return diagnostics;
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

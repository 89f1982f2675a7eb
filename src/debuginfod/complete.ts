import { AutofdoError } from '../errors.js';
import { runExamine } from '../native.js';
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

/**
 * Fetches what `binaries` lack, by build id: debug information and symbols, and the file of dwz. Then runs a job, which gets the cache, in
 * which the core looks for files last; undefined where no server is named. What happened is among the diagnostics of the result, or in
 * the hint of the error.
 */
export async function withDebugFiles<T extends { diagnostics: Diagnostic[] }>(
  binaries: readonly string[],
  options: DebugFileOptions,
  job: (cache: string | undefined) => Promise<T>,
): Promise<T> {
  const off = options.debuginfod === false || options.compat !== undefined;
  const settings = off ? undefined : debuginfodSettings();
  if (settings === undefined) return job(undefined);
  const notes = await fetchDebugFiles(binaries, settings, options);
  try {
    const result = await job(settings.cache);
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

/** Fetches what `binaries` lack; resolves to what happened. */
export async function fetchDebugFiles(
  binaries: readonly string[],
  settings: DebuginfodSettings,
  { debugBinary, dwp, signal, onProgress }: DebugFileOptions,
): Promise<Diagnostic[]> {
  const diagnostics: Diagnostic[] = [];
  const report =
    onProgress && ((done: number, total: number) => onProgress({ phase: 'download', done, total }));
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

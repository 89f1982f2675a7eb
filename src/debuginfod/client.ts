import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAddon } from '../addon.js';
import { formatBytes } from '../report/format.js';
import type { Diagnostic } from '../result.js';
import type { DebuginfodSettings } from './settings.js';

/** The kind of a file on a server. Servers have source files, too, which are not fetched. */
export type FileKind = 'debuginfo' | 'executable';

/** Number of bytes that must arrive within the timeout, as in elfutils. */
const MIN_PROGRESS_BYTES = 100 * 1024;

/** The settings of a download, and the receivers of its messages. */
export interface Fetching {
  settings: DebuginfodSettings;
  signal?: AbortSignal | undefined;
  /** Called with the number of bytes that have arrived and the number of all bytes (0 if it is not known). */
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** List to which notes are added. */
  diagnostics: Diagnostic[];
}

/**
 * Returns the path of a file in the cache, and fetches the file if the cache does not have it. Returns `undefined`
 * if no server has it. All servers are asked at once, and the first server that has the file delivers it. The file
 * is kept only if it has the requested build id.
 */
export async function fetchByBuildId(
  id: string,
  kind: FileKind,
  fetching: Fetching,
): Promise<string | undefined> {
  const { settings } = fetching;
  const folder = join(settings.cache, id);
  const target = join(folder, kind);
  const note = (message: string) =>
    fetching.diagnostics.push({ code: 'debuginfod', severity: 'note', message });
  const known = cached(target, settings.missSeconds);
  if (known === 'there') return target;
  if (known === 'missing') {
    note(`no server had the ${kind} of build id ${id} a few minutes ago; remove ${target} to ask again`);
    return undefined;
  }
  const deadline = new Deadline(settings, fetching.signal);
  let partial: string | undefined;
  try {
    const ask = () => firstAnswer(settings, `buildid/${id}/${kind}`, deadline.signal);
    let { response, url, refusals } = await ask();
    // A server that answers that it does not have the file has given an answer. If no server answered, another try
    // may help.
    for (let left = settings.retries; left > 0 && !hasAnswer(response, refusals); left--) {
      ({ response, url, refusals } = await ask());
    }
    if (response === undefined) {
      for (const refusal of refusals) note(`${kind} of build id ${id}: ${refusal.text}`);
      // The absence of the file is remembered only if all servers answered that they do not have it.
      if (refusals.every(({ answered }) => answered)) remember(folder, target);
      return undefined;
    }
    mkdirSync(folder, { recursive: true });
    partial = `${target}.${process.pid}-${Math.random().toString(36).slice(2)}`;
    const size = await download(response, partial, deadline, fetching);
    const found = (await loadAddon()).buildIdOf(partial);
    if (found !== id) {
      note(`${url} sent a file with build id ${found ?? 'none'} for ${id}; it is not used`);
      return undefined;
    }
    renameSync(partial, target);
    note(`${kind} of build id ${id} was fetched from ${url} (${formatBytes(size)})`);
    return target;
  } catch (error) {
    fetching.signal?.throwIfAborted();
    note(`${kind} of build id ${id} could not be fetched: ${deadline.reason ?? messageOf(error)}`);
    return undefined;
  } finally {
    deadline.end();
    if (partial !== undefined) rmSync(partial, { force: true });
  }
}

/**
 * Tells whether the cache has the file, or has a mark that no server has it. elfutils marks that by an empty file.
 */
function cached(target: string, missSeconds: number): 'there' | 'missing' | undefined {
  const found = statSync(target, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return undefined;
  if (found.size > 0) return 'there';
  return (Date.now() - found.mtimeMs) / 1000 < missSeconds ? 'missing' : undefined;
}

function remember(folder: string, target: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(target, '');
  } catch {
    // If the cache cannot be written, only time is lost.
  }
}

interface Refusal {
  text: string;
  /** True if the server answered that it does not have the file. */
  answered: boolean;
}

function hasAnswer(response: Response | undefined, refusals: readonly Refusal[]): boolean {
  return response !== undefined || refusals.some(({ answered }) => answered);
}

/** Returns the first response with a file. All other requests are ended. */
async function firstAnswer(
  { urls, headers, maxSize }: DebuginfodSettings,
  path: string,
  signal: AbortSignal,
): Promise<{ response: Response | undefined; url: string; refusals: Refusal[] }> {
  const refusals: Refusal[] = [];
  const sizeHeader: [string, string][] = maxSize > 0 ? [['X-DEBUGINFOD-MAXSIZE', String(maxSize)]] : [];
  const requests = urls.map((url) => ({ url, ended: new AbortController() }));
  const answers = requests.map(async ({ url, ended }) => {
    try {
      const response = await fetch(`${url}/${path}`, {
        // This header tells a server not to send a file that is too large.
        headers: [...headers.map(([name, value]): [string, string] => [name, value]), ...sizeHeader],
        signal: AbortSignal.any([signal, ended.signal]),
      });
      if (response.ok && response.body !== null) return { response, url };
      await response.body?.cancel();
      const text = response.status === 404 ? `${url} does not have it` : `${url} answered ${response.status}`;
      refusals.push({ text, answered: response.status === 404 });
    } catch (error) {
      if (signal.aborted) throw error;
      refusals.push({ text: `${url}: ${messageOf(error)}`, answered: false });
    }
    throw new Error('no file');
  });
  try {
    const first = await Promise.any(answers);
    for (const { url, ended } of requests) if (url !== first.url) ended.abort();
    return { ...first, refusals };
  } catch {
    signal.throwIfAborted();
    return { response: undefined, url: '', refusals };
  }
}

/** Writes the body to a file; resolves to its size. */
async function download(
  response: Response,
  file: string,
  deadline: Deadline,
  fetching: Fetching,
): Promise<number> {
  const { maxSize } = fetching.settings;
  const announced = Number(
    response.headers.get('content-length') ?? response.headers.get('x-debuginfod-size') ?? 0,
  );
  const tooLarge = (size: string) =>
    new Error(`it has ${size}, more than DEBUGINFOD_MAXSIZE (${formatBytes(maxSize)})`);
  if (maxSize > 0 && announced > maxSize) throw tooLarge(formatBytes(announced));
  let size = 0;
  const out = await open(file, 'wx');
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (maxSize > 0 && size > maxSize) throw tooLarge(`at least ${formatBytes(size)}`);
      deadline.arrived(chunk.length);
      fetching.onProgress?.(size, announced);
      await out.writeFile(chunk);
    }
  } finally {
    await out.close();
  }
  return size;
}

/** Ends a request that takes too long. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #timeout: number;
  readonly #total: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;
  /** Reason why the deadline ended the request; undefined while it has not. */
  reason: string | undefined;
  readonly signal: AbortSignal;

  constructor({ timeout, maxTime }: DebuginfodSettings, outer: AbortSignal | undefined) {
    this.#timeout = timeout;
    this.signal =
      outer === undefined ? this.#controller.signal : AbortSignal.any([outer, this.#controller.signal]);
    if (maxTime > 0) {
      this.#total = setTimeout(
        () => this.#end(`it took longer than ${maxTime} s (DEBUGINFOD_MAXTIME)`),
        maxTime * 1000,
      );
    }
    this.#restart();
  }

  /** Counts the bytes that have arrived. */
  arrived(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= MIN_PROGRESS_BYTES) this.#restart();
  }

  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#total);
  }

  #restart(): void {
    clearTimeout(this.#timer);
    this.#bytes = 0;
    if (this.#timeout === 0) return;
    const reason = `less than 100 kB came within ${this.#timeout} s (DEBUGINFOD_TIMEOUT)`;
    this.#timer = setTimeout(() => this.#end(reason), this.#timeout * 1000);
  }

  #end(reason: string): void {
    this.reason = reason;
    this.#controller.abort(new Error(reason));
  }
}

/** Returns the message of an error's cause, because fetch hides the reason there. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}

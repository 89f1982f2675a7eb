import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAddon } from '../addon.js';
import { formatBytes } from '../report/format.js';
import type { Diagnostic } from '../result.js';
import type { DebuginfodSettings } from './settings.js';

/** What is asked for: servers have sources, too. */
export type FileKind = 'debuginfo' | 'executable';

/** Bytes that must arrive within the timeout, as in elfutils. */
const LEAST_PROGRESS = 100 * 1024;

/** How a file is fetched, and what is told of it. */
export interface Fetching {
  settings: DebuginfodSettings;
  signal?: AbortSignal | undefined;
  /** Bytes that have arrived, and in all (0: not known). */
  onProgress?: ((done: number, total: number) => void) | undefined;
  /** Notes are added to this. */
  diagnostics: Diagnostic[];
}

/**
 * The file in the cache, fetched if it is not there; undefined if no server has it. All servers are asked at once, and the first that has
 * it delivers. What came is kept only if it has the build id that was asked for.
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
    // A server that says that it does not have the file has answered; where none did, another try may help.
    for (let left = settings.retries; left > 0 && !hasAnswer(response, refusals); left--) {
      ({ response, url, refusals } = await ask());
    }
    if (response === undefined) {
      for (const refusal of refusals) note(`${kind} of build id ${id}: ${refusal.text}`);
      // Only servers that answered have said that they do not have it.
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

/** Whether the cache has the file, or remembers that there is none. elfutils marks that by an empty file. */
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
    // A cache that cannot be written only costs time.
  }
}

interface Refusal {
  text: string;
  /** The server said that it does not have the file. */
  answered: boolean;
}

function hasAnswer(response: Response | undefined, refusals: readonly Refusal[]): boolean {
  return response !== undefined || refusals.some(({ answered }) => answered);
}

/** The first response with a file; the other requests are ended. */
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
        // A server need not send what is too large.
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
  /** Why it ended the request. */
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

  /** Notes that so many bytes have arrived. */
  arrived(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes >= LEAST_PROGRESS) this.#restart();
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

/** fetch hides what happened in the cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== '' ? cause.message : error.message;
}

import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutofdoError } from '../errors.js';

/** Bytes of a stream that are kept at most. */
const MAX_KEPT = 1 << 27;

/** Bytes of a file or stream. */
export interface ByteSource {
  /** Bytes in all; undefined for a stream. */
  readonly size: number | undefined;
  /** Up to `length` bytes from `offset`; fewer only at the end. They may be overwritten by the next call. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Says that nothing before `offset` will be read again, so that a stream need not keep it. */
  discardBefore(offset: number): void;
  close(): Promise<void>;
}

/** Opens a file, FIFO or standard input (`-`). */
export async function openSource(path: string): Promise<ByteSource> {
  try {
    if (path === '-') return new StreamSource(process.stdin, path);
    const handle = await open(path, 'r');
    const status = await handle.stat();
    if (status.isFile()) return new FileSource(handle, status.size, path);
    return new StreamSource(handle.createReadStream({ autoClose: false }), path, handle);
  } catch (cause) {
    return unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new AutofdoError('INPUT_UNREADABLE', `${path} cannot be read: ${reason(cause)}`, { path, cause });
}

/** The files of a recording: one, or those of a directory (perf record --threads). */
export interface RecordingFiles {
  /** Has the header. */
  main: string;
  directory: boolean;
  /** Bare records, in the order of their numbers. */
  streams: { path: string; number: number }[];
}

/** Finds the files of a recording. */
export async function recordingFiles(path: string): Promise<RecordingFiles> {
  if (path === '-') return { main: path, directory: false, streams: [] };
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory()) return { main: path, directory: false, streams: [] };
    names = await readdir(path);
  } catch (cause) {
    throw new AutofdoError('INPUT_UNREADABLE', `${path} cannot be read: ${reason(cause)}`, {
      hint: 'check the path and its permissions',
      path,
      cause,
    });
  }
  // What is no file is left out: a FIFO could keep its reader waiting for ever.
  const isFile = async (name: string) =>
    (await stat(join(path, name)).catch(() => undefined))?.isFile() ?? false;
  if (!(await isFile('data'))) {
    throw new AutofdoError(
      'INPUT_INVALID',
      `${path} is a directory, but not one that \`perf record\` wrote: it holds no file \`data\``,
      { path },
    );
  }
  const streams: RecordingFiles['streams'] = [];
  for (const name of names) {
    const number = /^data\.(\d+)$/.exec(name)?.[1];
    if (number !== undefined && (await isFile(name)))
      streams.push({ path: join(path, name), number: Number(number) });
  }
  streams.sort((a, b) => a.number - b.number);
  return { main: join(path, 'data'), directory: true, streams };
}

function reason(cause: unknown): string {
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'no such file';
    case 'EACCES':
      return 'permission denied';
    default:
      return (cause as Error).message;
  }
}

class FileSource implements ByteSource {
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #path: string;
  #block = new Uint8Array(0);

  constructor(handle: FileHandle, size: number, path: string) {
    this.#handle = handle;
    this.size = size;
    this.#path = path;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    // Lengths come from the file itself: never allocate more than it can fill.
    const wanted = Math.max(0, Math.min(length, this.size - offset));
    if (this.#block.length < wanted) this.#block = new Uint8Array(wanted);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await this.#handle
        .read(this.#block, filled, wanted - filled, offset + filled)
        .catch((cause) => unreadable(this.#path, cause));
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return this.#block.subarray(0, filled);
  }

  discardBefore(): void {}

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class StreamSource implements ByteSource {
  readonly size = undefined;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Bytes from `#start` on that may still be asked for. */
  #kept: Uint8Array[] = [];
  #start = 0;
  #end = 0;
  #done = false;
  readonly #path: string;
  readonly #handle: FileHandle | undefined;

  constructor(stream: AsyncIterable<Uint8Array>, path: string, handle?: FileHandle) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.#path = path;
    this.#handle = handle;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    // What must be kept until then, an attr section behind the records for example, must not fill the memory.
    if (offset < this.#start || offset + length - this.#start > MAX_KEPT) return new Uint8Array(0);
    while (!this.#done && this.#end < offset + length) {
      const { value, done } = await this.#chunks.next().catch((cause) => unreadable(this.#path, cause));
      if (done) this.#done = true;
      else {
        this.#kept.push(value);
        this.#end += value.length;
        // Bytes before the one asked for are only kept while a discard has not passed them.
        if (this.#end <= offset && this.#start >= offset) this.discardBefore(offset);
      }
    }
    if (offset >= this.#end) return new Uint8Array(0);
    const whole = this.#kept.length === 1 ? (this.#kept[0] as Uint8Array) : Buffer.concat(this.#kept);
    this.#kept = [whole];
    return whole.subarray(offset - this.#start, Math.min(offset + length, this.#end) - this.#start);
  }

  discardBefore(offset: number): void {
    while (this.#kept[0] !== undefined && this.#start + this.#kept[0].length <= offset) {
      this.#start += this.#kept[0].length;
      this.#kept.shift();
    }
    const [first] = this.#kept;
    if (first !== undefined && this.#start < offset) {
      this.#kept[0] = first.subarray(offset - this.#start);
      this.#start = offset;
    }
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
    await this.#handle?.close();
  }
}

import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutofdoError } from '../../src/errors.js';
import { type ByteSource, FileSource, unreadable } from '../../src/perf-data/source.js';

/** Largest number of bytes of a stream that are kept. */
const MAX_KEPT = 1 << 27;

/** The bytes of a file or stream. */
export interface RecordSource extends ByteSource {
  /** Tells that no byte before `offset` will be read again, so that a stream need not keep these bytes. */
  discardBefore(offset: number): void;
}

/** Opens a file, FIFO or standard input (`-`). */
export async function openSource(path: string): Promise<RecordSource> {
  try {
    if (!(await stat(path)).isFile()) {
      const handle = await open(path, 'r');
      return new StreamSource(handle.createReadStream({ autoClose: false }), path, handle);
    }
    return Object.assign(await FileSource.open(path), { discardBefore: () => {} });
  } catch (cause) {
    return unreadable(path, cause);
  }
}

/** The files of a recording: one file, or the files of a directory (perf record --threads). */
export interface RecordingFiles {
  /** Path of the file with the header. */
  main: string;
  directory: boolean;
  /** Files of records without a header, in the order of their numbers. */
  streams: { path: string; number: number }[];
}

/** Finds the files of a recording. */
export async function recordingFiles(path: string): Promise<RecordingFiles> {
  let names: string[];
  try {
    if (!(await stat(path)).isDirectory()) return { main: path, directory: false, streams: [] };
    names = await readdir(path);
  } catch (cause) {
    return unreadable(path, cause);
  }
  // Only regular files are used, because a FIFO could keep its reader waiting for ever.
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

class StreamSource implements RecordSource {
  readonly size = undefined;
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Bytes from `#start` on that may still be requested. */
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
    // Bytes that must be kept for later, for example after an attr section that follows the records, must not
    // fill the memory.
    if (offset < this.#start || offset + length - this.#start > MAX_KEPT) return new Uint8Array(0);
    while (!this.#done && this.#end < offset + length) {
      const { value, done } = await this.#chunks.next().catch((cause) => unreadable(this.#path, cause));
      if (done) this.#done = true;
      else {
        this.#kept.push(value);
        this.#end += value.length;
        // Bytes before `offset` are kept only until a discard has passed them.
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

import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AutofdoError } from '../errors.js';
import { failureReason } from '../failure-reason.js';

/** The bytes of a file. */
export interface ByteSource {
  /** Number of all bytes; undefined for a stream. */
  readonly size: number | undefined;
  /**
   * Reads up to `length` bytes from `offset`; fewer only at the end. The next call may overwrite the returned
   * bytes.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens the file that has the header of a recording: the recording itself, or `data` in its directory. */
export async function openMainFile(path: string): Promise<{ source: FileSource; directory: boolean }> {
  try {
    const directory = (await stat(path)).isDirectory();
    return { source: await FileSource.open(directory ? join(path, 'data') : path), directory };
  } catch (cause) {
    return unreadable(path, cause);
  }
}

/** Throws `INPUT_UNREADABLE` for a file that the system cannot read. */
export function unreadable(path: string, cause: unknown): never {
  throw new AutofdoError('INPUT_UNREADABLE', `${path} cannot be read: ${failureReason(cause)}`, {
    hint: 'check the path and your permission to read it',
    path,
    cause,
  });
}

/** A regular file. */
export class FileSource implements ByteSource {
  readonly size: number;
  readonly #handle: FileHandle;
  readonly #path: string;
  #block = new Uint8Array(0);

  private constructor(handle: FileHandle, size: number, path: string) {
    this.#handle = handle;
    this.size = size;
    this.#path = path;
  }

  static async open(path: string): Promise<FileSource> {
    const handle = await open(path, 'r');
    return new FileSource(handle, (await handle.stat()).size, path);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    // Lengths come from the file itself, so no more memory is allocated than the file can fill.
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

  close(): Promise<void> {
    return this.#handle.close();
  }
}

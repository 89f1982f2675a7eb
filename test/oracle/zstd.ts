/** Decodes the payloads of one stream. The payloads together form one frame that never ends. */
export interface ZstdStream {
  /** Returns the data of the next `payload`. Rejects if the payload is damaged. */
  decode(payload: Uint8Array): Promise<Uint8Array>;
}

/** The part of zlib.ZstdDecompress (Node 22.15) that is used here. The installed types are those of Node 20. */
interface Decompressor {
  write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: 'data', listener: (chunk: Uint8Array) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** Opens Node's own decoder. Returns `undefined` before Node 22.15. */
export async function openZstd(): Promise<ZstdStream | undefined> {
  const zlib: object = await import('node:zlib');
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Decompressor };
  return createZstdDecompress === undefined ? undefined : nodeStream(createZstdDecompress());
}

function nodeStream(stream: Decompressor): ZstdStream {
  let parts: Uint8Array[] = [];
  let failed: Error | undefined;
  stream.on('data', (part) => parts.push(part));
  stream.on('error', (error) => {
    failed = error;
  });
  return {
    decode: (payload) =>
      new Promise((resolve, reject) => {
        // The callback runs after the payload is decoded and all its output was given to the listener.
        stream.write(payload, (error) => {
          const fault = error ?? failed;
          if (fault) reject(fault);
          else resolve(Buffer.concat(parts));
          parts = [];
        });
      }),
  };
}

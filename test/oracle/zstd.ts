/** Decodes the payloads of one stream, which together form one frame that never ends. */
export interface ZstdStream {
  /** What `payload` adds. Rejects when it is damaged. */
  decode(payload: Uint8Array): Promise<Uint8Array>;
}

/** What zlib.ZstdDecompress (Node 22.15) is used for; the types are those of Node 20. */
interface Decompressor {
  write(chunk: Uint8Array, done: (error?: Error | null) => void): boolean;
  on(event: 'data', listener: (chunk: Uint8Array) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

/** Node's own decoder; undefined before Node 22.15. */
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
        // Called once the payload is decoded and all its output was handed to the listener.
        stream.write(payload, (error) => {
          const fault = error ?? failed;
          if (fault) reject(fault);
          else resolve(Buffer.concat(parts));
          parts = [];
        });
      }),
  };
}

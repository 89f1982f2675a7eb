import { printAll } from './terminal.js';

/** Refuses a text's place if that is one of the files that are read; `-` is stdout. */
export async function checkTarget(target: string, inputs: readonly string[]): Promise<void> {
  const { writeOutput } = await import('../native.js');
  await writeOutput({ ...place(target), inputs: [...inputs] }, {});
}

/** Puts a text, or bytes, into its place, piece by piece on stdout; a file is replaced as a whole. */
export async function writeTarget(
  target: string,
  inputs: readonly string[],
  pieces: Iterable<string | Uint8Array>,
): Promise<void> {
  if (target === '-') return printAll(pieces);
  const { writeOutput } = await import('../native.js');
  await writeOutput(
    {
      ...place(target),
      pieces: [...pieces].map((piece) => Buffer.from(piece as string)),
      inputs: [...inputs],
    },
    {},
  );
}

function place(target: string): { output?: string } {
  return target === '-' ? {} : { output: target };
}

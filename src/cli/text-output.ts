import { printAll } from './terminal.js';

/** Refuses a target that is one of the files that are read. The target `-` is stdout. */
export async function checkTarget(target: string, inputs: readonly string[]): Promise<void> {
  const { writeOutput } = await import('../native.js');
  await writeOutput({ ...toOutput(target), inputs: [...inputs] }, {});
}

/** Writes a text, or bytes, to a target. stdout gets the text piece by piece; a file is replaced as a whole. */
export async function writeTarget(
  target: string,
  inputs: readonly string[],
  pieces: Iterable<string | Uint8Array>,
): Promise<void> {
  if (target === '-') return printAll(pieces);
  const { writeOutput } = await import('../native.js');
  await writeOutput(
    {
      ...toOutput(target),
      pieces: [...pieces].map((piece) => Buffer.from(piece as string)),
      inputs: [...inputs],
    },
    {},
  );
}

function toOutput(target: string): { output?: string } {
  return target === '-' ? {} : { output: target };
}

/** Unpacks a block of data of the page. */
export async function unpack<T>(id: string): Promise<T> {
  const element = document.getElementById(id) ?? (await parsedElement(id));
  const packed = atob(element.textContent ?? '');
  const bytes = new Uint8Array(packed.length);
  for (let index = 0; index < packed.length; index++) bytes[index] = packed.charCodeAt(index);
  const unzipped = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return (await new Response(unzipped).json()) as T;
}

/**
 * Waits until the browser has parsed the element with this id. Data blocks stand after the code, so the code may
 * ask for a block that is not parsed yet.
 */
async function parsedElement(id: string): Promise<HTMLElement> {
  if (document.readyState === 'loading') {
    await new Promise((resolve) => document.addEventListener('DOMContentLoaded', resolve, { once: true }));
  }
  const element = document.getElementById(id);
  if (element === null) throw new Error(`This file is not complete: its part ${id} is missing.`);
  return element;
}

import { imageName } from '../../src/perf-data/build-id.js';

/** Executable code that a process or the kernel has mapped. Addresses are signed, see `address` in address.ts. */
export interface Mapping {
  start: number;
  end: number;
  path: string;
}

/** Values of a record's cpumode, bits 0 to 2 of its misc field. */
const KERNEL_MODE = 1;
const USER_MODE = 2;

/**
 * Largest number of intervals in all. More intervals come from damage or a JIT, and a report of images can do
 * without them.
 */
const MAX_INTERVALS = 1 << 20;

/**
 * Finds the image of an address at the time of its sample. Records must come in the order of time. Limits lose
 * only detail, because the result is used for reports.
 */
export class AddressSpaces {
  /**
   * Mappings of each process, sorted by start, without overlap. A child shares its parent's array until one of the
   * two changes it.
   */
  readonly #processes = new Map<number, { mappings: Mapping[]; shared: boolean }>();
  readonly #modules: Mapping[] = [];
  #kernel: Mapping | undefined;
  #intervals = 0;

  map(pid: number, mode: number, mapping: Mapping): void {
    if (mode === KERNEL_MODE) {
      if (mapping.path.startsWith('[kernel')) this.#kernel ??= mapping;
      else if (this.#modules.length < MAX_INTERVALS) insert(this.#modules, mapping);
      return;
    }
    const process = this.#processes.get(pid) ?? { mappings: [], shared: false };
    if (process.shared) {
      this.#intervals += process.mappings.length;
      process.mappings = [...process.mappings];
      process.shared = false;
    }
    if (this.#intervals >= MAX_INTERVALS) return;
    this.#intervals += insert(process.mappings, mapping);
    this.#processes.set(pid, process);
  }

  /** Handles a FORK record. A new process has its parent's mappings; a new thread shares them. */
  fork(pid: number, parent: number): void {
    const process = this.#processes.get(parent);
    if (pid === parent || process === undefined || this.#processes.size >= MAX_INTERVALS) return;
    process.shared = true;
    this.#processes.set(pid, { mappings: process.mappings, shared: true });
  }

  /** Returns the image with the address `ip`, or `undefined` if none is known. */
  imageAt(pid: number, mode: number, ip: number): string | undefined {
    if (mode === KERNEL_MODE) {
      const module = find(this.#modules, ip);
      // The range that perf records for the kernel is unreliable, above all its start.
      return module?.path ?? (this.#kernel === undefined ? undefined : imageName(this.#kernel.path));
    }
    return mode === USER_MODE ? find(this.#processes.get(pid)?.mappings ?? [], ip)?.path : undefined;
  }
}

/** Returns the index of the first mapping that starts after `ip`. */
function upperBound(mappings: readonly Mapping[], ip: number): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((mappings[middle] as Mapping).start <= ip) low = middle + 1;
    else high = middle;
  }
  return low;
}

function find(mappings: readonly Mapping[], ip: number): Mapping | undefined {
  const mapping = mappings[upperBound(mappings, ip) - 1];
  return mapping !== undefined && ip < mapping.end ? mapping : undefined;
}

/**
 * Adds a mapping over the present ones, because no record tells when a mapping ends. Returns the number of
 * intervals that were added.
 */
function insert(mappings: Mapping[], added: Mapping): number {
  if (added.end <= added.start) return 0;
  let first = upperBound(mappings, added.start);
  const before = mappings[first - 1];
  const pieces: Mapping[] = [added];
  if (before !== undefined && before.end > added.start) {
    first--;
    if (before.start < added.start) pieces.unshift({ ...before, end: added.start });
    if (before.end > added.end) pieces.push({ ...before, start: added.end });
  }
  let last = first;
  for (
    let mapping = mappings[last];
    mapping !== undefined && mapping.start < added.end;
    mapping = mappings[++last]
  ) {
    if (mapping !== before && mapping.end > added.end) pieces.push({ ...mapping, start: added.end });
  }
  mappings.splice(first, last - first, ...pieces);
  return pieces.length - (last - first);
}

import type { BodyRecord, CallTarget, FunctionSamples, InlinedFunction, LineLocation } from './types.js';

const MAX_U64 = 2n ** 64n - 1n;

/**
 * Returns the sum of two counts, or the largest 64-bit count if the sum is larger (LLVM: MathExtras.h,
 * `SaturatingAdd`).
 */
function addCounts(a: bigint, b: bigint): bigint {
  const sum = a + b;
  return sum > MAX_U64 ? MAX_U64 : sum;
}

/**
 * Sorts lines and inlined functions, and adds up those that a text has several times, as LLVM's reader does.
 * Profiles written by a program are usually sorted already; they stay unchanged.
 */
export function addUpRepeated(samples: FunctionSamples): void {
  samples.body = inOrder(samples.body, byLocation, addRecord);
  samples.inlined = inOrder(samples.inlined, byCallee, (to, more) => addFunction(to.samples, more.samples));
  for (const { samples: callee } of samples.inlined) addUpRepeated(callee);
}

/** Adds the counts of a function that a profile has a second time. */
export function addFunction(to: FunctionSamples, more: FunctionSamples): void {
  to.total = addCounts(to.total, more.total);
  to.head = addCounts(to.head, more.head);
  to.body.push(...more.body);
  to.inlined.push(...more.inlined);
}

/**
 * Returns the list itself if it is sorted and has no entry twice. Otherwise, returns a sorted list in which equal
 * entries are added up.
 */
function inOrder<T>(list: T[], compare: (a: T, b: T) => number, add: (to: T, more: T) => void): T[] {
  const isTidy = list.every((entry, index) => {
    const before = list[index - 1];
    return before === undefined || compare(before, entry) < 0;
  });
  if (isTidy) return list;
  const tidy: T[] = [];
  for (const entry of list.toSorted(compare)) {
    const last = tidy.at(-1);
    if (last !== undefined && compare(last, entry) === 0) add(last, entry);
    else tidy.push(entry);
  }
  return tidy;
}

function byLocation(a: LineLocation, b: LineLocation): number {
  return a.line - b.line || a.discriminator - b.discriminator;
}

function byCallee(a: InlinedFunction, b: InlinedFunction): number {
  const [nameOfA, nameOfB] = [a.samples.name, b.samples.name];
  return byLocation(a, b) || (nameOfA < nameOfB ? -1 : nameOfA > nameOfB ? 1 : 0);
}

function addRecord(to: BodyRecord, { count, targets }: BodyRecord): void {
  to.count = addCounts(to.count, count);
  const sums = new Map<string, CallTarget>(to.targets.map((target) => [target.name, target]));
  for (const target of targets) {
    const known = sums.get(target.name);
    if (known === undefined) sums.set(target.name, target);
    else known.count = addCounts(known.count, target.count);
  }
  to.targets = [...sums.values()].sort((a, b) =>
    a.count === b.count ? (a.name < b.name ? -1 : 1) : a.count > b.count ? -1 : 1,
  );
}

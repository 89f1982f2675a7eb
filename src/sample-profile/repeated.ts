import type { BodyRecord, CallTarget, FunctionSamples, InlinedFunction, LineLocation } from './types.js';

const MAX_U64 = 2n ** 64n - 1n;

/** The sum, or the largest count of 64 bits where that is less (LLVM: MathExtras.h, `SaturatingAdd`). */
function addCounts(a: bigint, b: bigint): bigint {
  const sum = a + b;
  return sum > MAX_U64 ? MAX_U64 : sum;
}

/**
 * Puts lines and inlined functions in order, and adds up those that text has several times, as LLVM's reader does. Profiles that a program
 * wrote are in order already, and stay as they are.
 */
export function addUpRepeated(samples: FunctionSamples): void {
  samples.body = inOrder(samples.body, byLocation, addRecord);
  samples.inlined = inOrder(samples.inlined, byCallee, (to, more) => addFunction(to.samples, more.samples));
  for (const { samples: callee } of samples.inlined) addUpRepeated(callee);
}

/** Adds up a function that a profile has twice. */
export function addFunction(to: FunctionSamples, more: FunctionSamples): void {
  to.total = addCounts(to.total, more.total);
  to.head = addCounts(to.head, more.head);
  to.body.push(...more.body);
  to.inlined.push(...more.inlined);
}

/** The same list if it is in order and has nothing twice, else one that is and has not. */
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

import type { Steps } from '../sample-profile/steps.js';
import type { FunctionSamples } from '../sample-profile/types.js';

/** Matches the text that a demangler makes of the hash that `-funique-internal-linkage-names` adds to a name. */
const UNIQUE = / \[clone \.__uniq\] \[clone \.\d+\]/;

/**
 * Collects all names in functions: their own names, and the names of inlined functions, of callers and of call
 * targets.
 */
export function* namesIn(functions: readonly FunctionSamples[]): Steps<Set<string>> {
  const names = new Set<string>();
  const add = ({ name, body, inlined, callers = [] }: FunctionSamples) => {
    names.add(name);
    for (const caller of callers) names.add(caller.name);
    for (const { targets } of body) for (const target of targets) names.add(target.name);
    for (const { samples } of inlined) add(samples);
  };
  for (const samples of functions) {
    add(samples);
    yield;
  }
  return names;
}

/** Returns the mangled names with their names in the source. */
export function* demangledNames(
  names: Iterable<string>,
  demangle: (text: string) => string,
): Steps<Map<string, string>> {
  const demangled = new Map<string, string>();
  for (const name of names) {
    const shown = demangle(name).replace(UNIQUE, '');
    if (shown !== name) demangled.set(name, shown);
    yield;
  }
  return demangled;
}

/**
 * Returns the name in the source, for people. In a context or a place, for example `main:3 @ _Z1fv` or `main:3 @
 * _Z1fv:2.1`, each name is demangled by itself.
 */
export function shownName(name: string, names: ReadonlyMap<string, string>): string {
  const known = names.get(name);
  if (known !== undefined || !name.includes(':')) return known ?? name;
  return name
    .split(' @ ')
    .map((frame) => {
      const [, mangled = frame, place = ''] = /^(.*?)(:[\d.]+)?$/s.exec(frame) ?? [];
      return `${names.get(mangled) ?? mangled}${place}`;
    })
    .join(' @ ');
}

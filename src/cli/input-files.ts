import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files that arguments of `--perfdata` name: a path as it is; else, if it has `*` or `?`, what matches it; else,
 * if it has commas, each part. What matches nothing stays, so that the error names it.
 */
export function expandInputs(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    if (arg === '-' || existsSync(arg)) return [arg];
    if (arg.includes(',')) return expandInputs(arg.split(',').filter((part) => part !== ''));
    if (!/[*?]/.test(arg)) return [arg];
    const found = matchGlob(arg);
    return found.length > 0 ? found : [arg];
  });
}

/** Paths that match a pattern of `*` and `?`, neither of which crosses a `/`; sorted. */
function matchGlob(pattern: string): string[] {
  const parts = pattern.split('/').filter((part) => part !== '');
  let bases = [pattern.startsWith('/') ? '/' : ''];
  for (const part of parts) {
    bases = bases.flatMap((base) => {
      if (!/[*?]/.test(part)) return existsSync(join(base, part)) ? [join(base, part)] : [];
      const shape = new RegExp(
        `^${part
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll('?', '.')}$`,
        's',
      );
      const hidden = part.startsWith('.');
      return list(base)
        .filter((name) => shape.test(name) && (hidden || !name.startsWith('.')))
        .map((name) => join(base, name));
    });
  }
  return bases.sort();
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder === '' ? '.' : folder);
  } catch {
    return [];
  }
}

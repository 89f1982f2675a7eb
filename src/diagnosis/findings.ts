import { plural } from '../report/format.js';
import { type BinaryFacts, type CompilerFacts, isAssembly, isLlvm } from './facts.js';

/** Something that speaks against a profile, or limits what it is worth. */
export interface Finding {
  /** Stable identifier, kebab-case. */
  code: string;
  /** `blocker`: there will be no profile, or one that clang cannot use; `limit`: a profile that is worth less; `note`: good to know. */
  severity: 'blocker' | 'limit' | 'note';
  /** What was found, and what follows from it. */
  message: string;
  /** What to do about it. */
  hint?: string;
}

/** What speaks against profiles of a binary. */
export function binaryFindings(facts: BinaryFacts): Finding[] {
  // A profile by pseudo probes has no lines.
  const lines = facts.pseudoProbes
    ? []
    : [debugInfo, splitUnits, problems, declarationLines, discriminators, gccDiscriminators];
  const rules = [symbols, ...lines, buildId];
  return rules.map((rule) => rule(facts)).filter((finding) => finding !== undefined);
}

function blocker(code: string, message: string, hint?: string): Finding {
  return { code, severity: 'blocker', message, ...(hint !== undefined && { hint }) };
}

export function limit(code: string, message: string, hint?: string): Finding {
  return { code, severity: 'limit', message, ...(hint !== undefined && { hint }) };
}

const REBUILD = 'rebuild as shown below, and record the new binary';

function symbols({ codeSymbols }: BinaryFacts): Finding | undefined {
  if (codeSymbols > 0) return undefined;
  return blocker(
    'no-symbols',
    'it has no symbol table (stripped), so it is not known where its instructions start',
    'name the unstripped binary, name its debug file with --debug-binary, or install its debug package',
  );
}

function debugInfo(facts: BinaryFacts): Finding | undefined {
  const { debugFile, debuglink, compilers, split, problems, otherFormat, missingSupplementary } = facts;
  if (otherFormat === 'STABS' || otherFormat === 'DWARF 1') {
    return blocker(
      'no-debug-info',
      `its debug information is ${otherFormat}; only DWARF is read`,
      'compile with -gdwarf (gcc: or -g; tcc: 0.9.28 or later has -gdwarf)',
    );
  }
  if (missingSupplementary !== undefined) {
    return blocker(
      'supplementary-missing',
      `the file ${missingSupplementary}, to which dwz moved a part of the debug information, was not found; names of functions are in it`,
      'install the debug package that this program or its debug file is from, with all of its files, or put the missing file there',
    );
  }
  if (debugFile === undefined) {
    const linked =
      debuglink === undefined
        ? ''
        : `, and the file ${debuglink} that it names was not found or does not fit`;
    const instead = otherFormat === undefined ? '' : ` but ${otherFormat}, which has no lines`;
    const tried = problems.length === 0 ? '' : `: ${problems.join('; ')}`;
    return blocker(
      'no-debug-info',
      `it has no debug information${instead}${linked}${tried}`,
      'name the file that has it with --debug-binary, or compile with -g',
    );
  }
  if (split.units > 0 && split.found < split.units) return undefined;
  if (compilers.some(({ withLines }) => withLines > 0)) return undefined;
  return blocker(
    'no-line-table',
    `the debug information of ${debugFile.path} has no line of code`,
    'compile with -g',
  );
}

function splitUnits({ split, compilers }: BinaryFacts): Finding | undefined {
  const missing = split.units - split.found;
  if (missing <= 0) return undefined;
  const message = `the split debug information of ${missing} of ${split.units} units was not found`;
  const hint = 'put the .dwo files where they were, or name a package (llvm-dwp -e) with --dwp';
  return compilers.some(({ withLines }) => withLines > 0)
    ? limit('split-missing', `${message}; their functions are left out`, hint)
    : blocker('split-missing', message, hint);
}

function problems(facts: BinaryFacts): Finding | undefined {
  const { debugFile, split, problems } = facts;
  const [first] = problems;
  if (debugFile === undefined || split.found < split.units || first === undefined) return undefined;
  if (facts.missingSupplementary !== undefined) return undefined;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more like it)` : '';
  return limit('debug-info-problems', `${first}${more}`);
}

/**
 * Lines in a profile are counted from the line in which their function is declared. Where that is missing, a profile has the lines
 * of the file, which clang, who knows better, finds nowhere.
 */
function declarationLines(facts: BinaryFacts): Finding | undefined {
  const compilers = facts.compilers.filter((compiler) => !isAssembly(compiler));
  const sum = (of: (compiler: CompilerFacts) => number) => compilers.reduce((total, c) => total + of(c), 0);
  const units = sum(({ withFunctions }) => withFunctions);
  const lacking = units - sum(({ withDeclarationLines }) => withDeclarationLines);
  if (lacking <= 0) return undefined;
  // rustc has the same flag, but writes these lines with more than line tables only.
  const rust = compilers.some((c) => c.language === 'Rust' && c.withDeclarationLines < c.withFunctions);
  const remedy = rust ? 'compile with -g or -C debuginfo=1' : 'line tables need -fdebug-info-for-profiling';
  if (lacking === units) {
    return blocker(
      'no-declaration-lines',
      'its line tables do not say where functions are declared, so the compiler could not match a single line',
      `${remedy}; ${REBUILD}`,
    );
  }
  return limit(
    'some-declaration-lines',
    `${lacking} of ${plural(units, 'unit')} do not say where functions are declared; counts of these functions are of no use`,
    `if they are your own: ${remedy}; ${REBUILD}`,
  );
}

function discriminators(facts: BinaryFacts): Finding | undefined {
  const lacking = facts.compilers.filter(
    (compiler) =>
      isLlvm(compiler) &&
      !isAssembly(compiler) &&
      compiler.withLines > 0 &&
      compiler.withDiscriminators === 0,
  );
  if (lacking.length === 0) return undefined;
  const units = lacking.reduce((sum, compiler) => sum + compiler.units, 0);
  return limit(
    'no-discriminators',
    `no discriminator in ${plural(units, 'unit')} of ${[...new Set(lacking.map(({ name }) => name))].join(', ')}: ` +
      'what happens in one line counts together, however often each part of it ran',
    REBUILD,
  );
}

/**
 * GCC numbers the blocks of a line; LLVM packs three numbers into a discriminator, and so reads 9 as "twice unrolled".
 */
function gccDiscriminators({ compilers }: BinaryFacts): Finding | undefined {
  const gcc = compilers.filter(
    ({ name, withDiscriminators }) => name.startsWith('GNU ') && withDiscriminators > 0,
  );
  if (gcc.length === 0) return undefined;
  const units = gcc.reduce((sum, compiler) => sum + compiler.units, 0);
  return limit(
    'gcc-discriminators',
    `${plural(units, 'unit')} compiled by gcc, whose discriminators mean something else than clang's: lines of several blocks ` +
      'get wrong counts, and clang inlines otherwise than gcc did',
    `good enough to try things out; for real use ${REBUILD}`,
  );
}

function buildId({ buildId }: BinaryFacts): Finding | undefined {
  if (buildId !== undefined) return undefined;
  return limit(
    'no-build-id',
    'it has no build id, so a recording of another build of it would not be noticed',
    'link with --build-id (clang: -Wl,--build-id)',
  );
}

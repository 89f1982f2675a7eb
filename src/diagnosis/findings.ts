import { worded } from '../options/wording.js';
import { asSentence } from '../remedy.js';
import { type BinaryFacts, type CompilerCounts, isLlvm, type SampleSurvey } from './facts.js';
import { flagsOf, mainTaker, type NoTaker, takerOf } from './toolchains.js';
import { describePart, severity, usable, type Weighing, weigh } from './weighing.js';

/** The remedy of a finding: build the program anew, find a file, or make a recording; `none` if nothing helps. */
export type Fix = 'rebuild' | 'find' | 'record' | 'none';

/** A fact that prevents a profile, or limits its worth. */
export interface Finding {
  /** Stable identifier, kebab-case. */
  code: string;
  /**
   * `blocker`: no profile can be made, or clang cannot use it. `limit`: the profile is worth less. `note`: the
   * user may want to know it.
   */
  severity: 'blocker' | 'limit' | 'note';
  /** The fact, and its consequence. */
  message: string;
  /** The remedy, in words. */
  hint?: string;
  /** The kind of the remedy. */
  fix?: Fix;
}

/**
 * Returns the findings against profiles of a binary. If a recording tells which code ran, the findings are weighed
 * by that.
 */
export function binaryFindings(facts: BinaryFacts, survey?: SampleSurvey): Finding[] {
  // A profile by pseudo probes does not use lines.
  const lines = facts.pseudoProbes ? [] : [debugInfo, splitUnits, problems].map((rule) => rule(facts));
  const weighing = weigh(facts, survey);
  const takers = noTaker(weighing);
  // The findings about lines concern only code of compilers that take a profile.
  const taken = usable(weighing);
  const compiled = facts.pseudoProbes
    ? []
    : [declarationLines, discriminators, gccCode].map((rule) => rule(taken, weighing));
  const found = [symbols(facts), ...lines, ...takers, ...compiled, buildId(facts)];
  return found.filter((finding) => finding !== undefined);
}

/** Returns a finding whose texts name options as the caller knows them, and whose remedy is a sentence. */
export function inWords(finding: Finding): Finding {
  const { message, hint } = finding;
  const told = { ...finding, message: worded(message) };
  return hint === undefined ? told : { ...told, hint: asSentence(worded(hint)) };
}

function blocker(code: string, message: string, hint: string | undefined, fix: Fix): Finding {
  return { code, severity: 'blocker', message, ...(hint !== undefined && { hint }), fix };
}

export function limit(code: string, message: string, hint?: string, fix?: Fix): Finding {
  const more = { ...(hint !== undefined && { hint }), ...(fix !== undefined && { fix }) };
  return { code, severity: 'limit', message, ...more };
}

function symbols({ codeSymbols, kind, kernel }: BinaryFacts): Finding | undefined {
  if (codeSymbols > 0) return undefined;
  const release = /^Linux version (\S+)/.exec(kernel?.banner ?? '')?.[1] ?? '$(uname -r)';
  const hint =
    kind === 'kernel'
      ? `name the unstripped vmlinux: it is in the folder that the kernel was built in; distributions have it in a debug package, \
as /usr/lib/debug/boot/vmlinux-${release} (Debian, Ubuntu) or /usr/lib/debug/lib/modules/${release}/vmlinux (Fedora)`
      : 'name the unstripped binary, name its debug file with {--debug-binary}, or install its debug package';
  const message = 'it has no symbol table (stripped), so it is not known where its instructions start';
  return blocker('no-symbols', message, hint, 'find');
}

function debugInfo(facts: BinaryFacts): Finding | undefined {
  const { debugFile, debuglink, compilers, split, problems, otherFormat, missingSupplementary } = facts;
  if (otherFormat === 'STABS' || otherFormat === 'DWARF 1') {
    return blocker(
      'no-debug-info',
      `its debug information is ${otherFormat}; only DWARF is read`,
      'compile with -gdwarf (gcc: or -g); tcc 0.9.27 writes STABS only, so take gcc or clang',
      'rebuild',
    );
  }
  if (missingSupplementary !== undefined) {
    return blocker(
      'supplementary-missing',
      `the file ${missingSupplementary}, to which dwz moved a part of the debug information, was not found; names of functions are in it`,
      'install the debug package that this program or its debug file is from, with all of its files, or put the missing file there',
      'find',
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
      'name the file that has it with {--debug-binary}, or compile with -g',
      debuglink === undefined ? 'rebuild' : 'find',
    );
  }
  if (split.units > 0 && split.found < split.units) return undefined;
  if (compilers.some(({ withLines }) => withLines > 0)) return undefined;
  return blocker(
    'no-line-table',
    `the debug information of ${debugFile.path} has no line of code`,
    'compile with -g',
    'rebuild',
  );
}

function splitUnits({ split, compilers }: BinaryFacts): Finding | undefined {
  const missing = split.units - split.found;
  if (missing <= 0) return undefined;
  const message = `the split debug information of ${missing} of ${split.units} units was not found`;
  const hint =
    'put the .dwo files where the compiler wrote them or beside the program, or name their package (llvm-dwp -e) with {--dwp}';
  return compilers.some(({ withLines }) => withLines > 0)
    ? limit('split-missing', `${message}; their functions are left out`, hint, 'find')
    : blocker('split-missing', message, hint, 'find');
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
 * Returns findings about code whose compilers take no profile. Most programs have a little assembly, and nobody
 * expects a profile of it, so assembly is left out unless there is no other code.
 */
function noTaker(weighing: Weighing): Finding[] {
  const languages = new Map<string, { units: number; taker: NoTaker }>();
  for (const counts of weighing.compilers) {
    const taker = takerOf(counts);
    if (taker.compiler !== undefined) continue;
    const known = languages.get(taker.language)?.units ?? 0;
    languages.set(taker.language, { units: known + counts.units, taker });
  }
  const all = [...languages.values()].reduce((sum, { units }) => sum + units, 0);
  const nothingElse = severity(weighing, all) === 'blocker';
  const findings: Finding[] = [];
  for (const [language, { units, taker }] of languages) {
    const { why, unsure, refuser } = taker;
    const weight = severity(weighing, units);
    if (weight === undefined || (language === 'assembly' && !nothingElse)) continue;
    if (unsure) {
      const message = `${describePart(weighing, units, `code in ${language}`)}, and it is not known whether a compiler of it takes an LLVM sample profile`;
      findings.push(limit('compiler-unknown', message, why));
      continue;
    }
    const message = `${describePart(weighing, units, `${language} code`)}, and ${refuser ?? 'no compiler of it'} ${refuser === undefined ? 'takes an' : 'takes no'} LLVM sample profile`;
    const code = nothingElse ? 'no-compiler-takes-it' : 'some-code-without-compiler';
    findings.push(nothingElse ? blocker(code, message, why, 'none') : limit(code, message, why));
  }
  return findings;
}

/**
 * Returns a finding about missing lines of declarations. Lines in a profile are counted from the line of the
 * function's declaration. Without that line, the profile has the line numbers of the file, and clang, which knows
 * the declaration, finds no code at these lines.
 */
function declarationLines({ compilers, by }: Weighing, all: Weighing): Finding | undefined {
  const sum = (of: (compiler: CompilerCounts) => number) => compilers.reduce((total, c) => total + of(c), 0);
  const withFunctions = sum((counts) => counts.withFunctions);
  const lacking = withFunctions - sum(({ withDeclarationLines }) => withDeclarationLines);
  // A unit without functions declares none, so it is not counted.
  const whole = by === 'units' ? { compilers: only(compilers, withFunctions), by } : all;
  const weight = severity(whole, lacking);
  if (weight === undefined) return undefined;
  // rustc has the same flag, but writes the lines of declarations only with more than line tables.
  const rust = compilers.some((c) => c.language === 'Rust' && c.withDeclarationLines < c.withFunctions);
  const remedy = rust ? 'compile with -g or -C debuginfo=1' : 'line tables need -fdebug-info-for-profiling';
  const found = describePart(whole, lacking, 'line tables that do not say where functions are declared');
  if (weight === 'blocker') {
    return blocker(
      'no-declaration-lines',
      `${found}, so the compiler could not match a single line`,
      `${remedy}; build it so, and record the new binary`,
      'rebuild',
    );
  }
  return limit(
    'some-declaration-lines',
    `${found}; counts of these functions are of no use`,
    `if they are your own: ${remedy}; build them so, and record the new binary`,
    'rebuild',
  );
}

/** Returns one entry that stands for `units` units of the first compiler. */
function only([first]: readonly CompilerCounts[], units: number): CompilerCounts[] {
  return first === undefined ? [] : [{ ...first, units }];
}

function discriminators({ compilers, by }: Weighing, all: Weighing): Finding | undefined {
  const lacking = compilers.filter(
    (counts) => isLlvm(counts) && counts.withLines - counts.withDiscriminators > 0 && isWithout(counts, by),
  );
  const part = lacking.reduce((sum, counts) => sum + counts.withLines - counts.withDiscriminators, 0);
  if (severity(all, part) === undefined) return undefined;
  const names = [...new Set(lacking.map(({ name }) => name))].join(', ');
  const calls = lacking.some(({ withCallDiscriminators }) => withCallDiscriminators > 0)
    ? ' (calls of inlined functions have some)'
    : '';
  const taker = mainTaker(lacking);
  const flags =
    taker === undefined || taker === 'clang'
      ? '-g -fdebug-info-for-profiling'
      : flagsOf(taker, lacking[0]?.name ?? '').profiling;
  const hint = `compile with ${flags}, and record the new binary`;
  return limit(
    'no-discriminators',
    `${describePart(all, part, `code of ${names} without discriminators in its line table`)}${calls}, so what happens in one line counts together, however often each part of it ran`,
    hint,
    'rebuild',
  );
}

/**
 * True if the missing discriminators are a fault. A unit without branches needs no discriminator. So, if units are
 * counted, only a compiler without any discriminator is reported.
 */
function isWithout({ withDiscriminators }: CompilerCounts, by: Weighing['by']): boolean {
  return by === 'samples' || withDiscriminators === 0;
}

/**
 * Returns a finding about code of GCC. GCC's discriminators number the blocks of a line. LLVM packs three numbers
 * into a discriminator, and reads 9 as "unrolled twice".
 */
function gccCode({ compilers }: Weighing, all: Weighing): Finding | undefined {
  const gcc = compilers.filter(({ name, withLines }) => name.startsWith('GNU ') && withLines > 0);
  const units = gcc.reduce((sum, counts) => sum + counts.units, 0);
  if (severity(all, units) === undefined) return undefined;
  const has = gcc.some(({ withDiscriminators }) => withDiscriminators > 0);
  const why = has
    ? "whose discriminators mean something else than clang's, so lines of several blocks get wrong counts"
    : 'without discriminators, so what happens in one line counts together, however often each part of it ran';
  return limit(
    has ? 'gcc-discriminators' : 'gcc-without-discriminators',
    `${describePart(all, units, `code of gcc ${why}`)}; and clang inlines otherwise than gcc did`,
    'good enough to try things out; for real use compile with clang -g -fdebug-info-for-profiling, and record the new binary',
    'rebuild',
  );
}

function buildId({ buildId, compilers }: BinaryFacts): Finding | undefined {
  // If no compiler takes a profile, nobody needs to tell recordings apart.
  if (buildId !== undefined || (compilers.length > 0 && mainTaker(compilers) === undefined)) return undefined;
  return limit(
    'no-build-id',
    'it has no build id, so a recording of another build of it would not be noticed',
    mainTaker(compilers) === 'rustc'
      ? 'link with `-C link-arg=-Wl,--build-id`'
      : 'link with `--build-id` (clang, gcc: `-Wl,--build-id`)',
  );
}

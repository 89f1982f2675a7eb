import type { BindingExamination } from '../../native/binding/index.cjs';
import { isAssemblyLanguage, takerOf } from './toolchains.js';

/**
 * Whether a compiler was given `-fdebug-info-for-profiling`. DWARF does not record it, so it is concluded:
 *
 * - `yes`: its command line is recorded and has it; or clang's line tables have lines of declarations, which nothing else adds;
 *   or discriminators are flow-sensitive, which they are with this flag only
 * - `likely`: there are discriminators, which LLVM makes with this flag or with `-fprofile-sample-use`
 * - `unlikely`: there are no discriminators, but code that never branches needs none
 * - `no`: its command line is recorded and lacks it; or line tables lack the lines of declarations
 * - `unknown`: not clang or rustc, which alone have this flag
 */
export type ProfilingFlag = 'yes' | 'likely' | 'unlikely' | 'no' | 'unknown';

/** What one compiler, language and version of DWARF made. Counts are of units, or of the samples that lie in such units. */
export interface CompilerCounts {
  /** The beginning of `DW_AT_producer`, without a recorded command line; empty where it is not stated. */
  name: string;
  /** As DWARF names it, without `DW_LANG_`; `Mips_Assembler` and `Assembly` are assembly of any machine. */
  language: string;
  dwarfVersion: number;
  units: number;
  /** With a line table that has rows. */
  withLines: number;
  /** With a discriminator in the line table. */
  withDiscriminators: number;
  /** With a discriminator at the call of an inlined function. */
  withCallDiscriminators: number;
  /** With functions that they define. */
  withFunctions: number;
  /** With functions that have the line of their declaration, which lines in a profile are counted from. */
  withDeclarationLines: number;
  /** With types or variables. */
  withTypes: number;
  /** With the compiler's command line. */
  withCommandLine: number;
  /** With `-fdebug-info-for-profiling` in it. */
  withProfilingFlag: number;
}

/** What one compiler made. Counts are of units. */
export interface CompilerFacts extends CompilerCounts {
  /** `line-tables`: `-gmlt` and its like; `mixed`: some units of this, some of that. */
  level: 'full' | 'line-tables' | 'mixed' | 'no functions';
  profilingFlag: ProfilingFlag;
}

/** What the samples of a binary lie in. A sample here is one execution of a straight-line range of code. */
export interface SampleSurvey {
  /** Samples in functions of the debug information. */
  samples: bigint;
  /** Samples by compiler: the numbers are of samples that lie in units of it, instead of units. They only weigh: above 2^53 they are clamped. */
  compilers: CompilerCounts[];
  /** Functions with code. */
  functions: number;
  /** Those of them with samples. */
  sampledFunctions: number;
  /** Names of functions of several units, which have one entry of the profile; those with most samples, at most eight. */
  shared: { name: string; units: number; samples: bigint }[];
  /** Samples in all functions that share an entry. */
  sharedSamples: bigint;
}

/** What a vmlinux or a module says about itself. */
export interface KernelFacts {
  /** Of a vmlinux `Linux version ...`, as it is printed at boot; of a module `vermagic=...`, the kernel it was built for. */
  banner: string | undefined;
  /** Version and patch level from it. */
  version: [number, number] | undefined;
  /** Whether the configuration is embedded (`CONFIG_IKCONFIG=y`). */
  hasConfig: boolean;
  /** Options of it that matter for profiles, with `CONFIG_`; those that are not set are missing. */
  options: Readonly<Record<string, string>>;
}

/** What a binary says about itself. */
export interface BinaryFacts {
  /** Size in bytes. */
  size: number;
  /** Hexadecimal digits. */
  buildId: string | undefined;
  kind: BindingExamination['kind'];
  machine: BindingExamination['machine'];
  /** Symbols of `.symtab` in its code; 0 if it is stripped and no debug file has them. */
  codeSymbols: number;
  /** The debug file that has the symbols of the stripped binary. */
  symbolFile: string | undefined;
  /** Discriminators are flow-sensitive: `__llvm_fs_discriminator__` is there. */
  flowSensitive: boolean;
  /** It carries pseudo probes. */
  pseudoProbes: boolean;
  /** File name in its `.gnu_debuglink`. */
  debuglink: string | undefined;
  /** The file that has its DWARF, and how it was found; undefined if there is none. */
  debugFile:
    | {
        path: string;
        source:
          | 'binary'
          | 'debug-binary'
          | 'build-id'
          | 'debuglink'
          | 'path'
          | 'debuginfod'
          | 'supplementary';
      }
    | undefined;
  /** How debug sections are compressed. */
  compression: 'zlib' | 'zstd' | undefined;
  /** Units whose debug information lies in `.dwo` files or a package, and how many of these halves were found. */
  split: { units: number; found: number };
  /** What compiled it, with most units first. */
  compilers: CompilerFacts[];
  /** The format of its debug information, if that is not DWARF, which alone is read. */
  otherFormat: BindingExamination['otherFormat'] | undefined;
  /** The file of dwz (`.gnu_debugaltlink`, `.debug_sup`) that is missing; names of functions are in it. */
  missingSupplementary: string | undefined;
  /** What was not found, or cannot be read, on the way to the DWARF. */
  problems: string[];
  /** Of a vmlinux or a module. */
  kernel: KernelFacts | undefined;
}

/** Facts as the library has them. */
export function toFacts(found: BindingExamination, debugBinary: string | undefined): BinaryFacts {
  const {
    debugFile,
    debugFileSource,
    skeletonUnits,
    splitUnitsFound,
    diagnostics,
    kernel,
    missingBuildIds: _,
    ...same
  } = found;
  const source = debugFileSource ?? (debugBinary === undefined ? 'binary' : 'debug-binary');
  return {
    ...same,
    buildId: found.buildId,
    symbolFile: found.symbolFile,
    debuglink: found.debuglink,
    otherFormat: found.otherFormat,
    missingSupplementary: found.missingSupplementary,
    compression: found.compression,
    debugFile: debugFile === undefined ? undefined : { path: debugFile, source },
    split: { units: skeletonUnits, found: splitUnitsFound },
    compilers: found.compilers.map((compiler) => ({
      ...compiler,
      level: level(compiler),
      profilingFlag: profilingFlag(compiler, found.flowSensitive),
    })),
    problems: diagnostics,
    kernel: kernel && {
      banner: kernel.banner,
      version: kernelVersion(kernel.banner),
      hasConfig: kernel.hasConfig,
      options: Object.fromEntries(kernel.options.map(({ name, value }) => [name, value])),
    },
  };
}

type Counts = BindingExamination['compilers'][number];

function level({ withFunctions, withTypes }: Counts): CompilerFacts['level'] {
  if (withTypes === 0) return withFunctions === 0 ? 'no functions' : 'line-tables';
  return withTypes < withFunctions ? 'mixed' : 'full';
}

/** Whether LLVM made its code. */
export function isLlvm({ name }: { name: string }): boolean {
  return /clang|LLVM|rustc/.test(name);
}

/** Assembly has neither functions nor discriminators. */
export function isAssembly({ language }: { language: string }): boolean {
  return isAssemblyLanguage(language);
}

function profilingFlag(counts: Counts, flowSensitive: boolean): ProfilingFlag {
  if (
    takerOf(counts).compiler === undefined ||
    !isLlvm(counts) ||
    isAssembly(counts) ||
    counts.withLines === 0
  )
    return 'unknown';
  if (counts.withProfilingFlag > 0) return 'yes';
  const onlyLines = counts.withTypes === 0 && counts.withFunctions > 0;
  if (onlyLines && counts.withDeclarationLines === 0) return 'no';
  // rustc's debuginfo=1 has no types but these lines.
  if (onlyLines && counts.language !== 'Rust') return 'yes';
  if (counts.withCommandLine === counts.units) return 'no';
  if (counts.withDiscriminators === 0) return 'unlikely';
  return flowSensitive ? 'yes' : 'likely';
}

function kernelVersion(banner: string | undefined): [number, number] | undefined {
  const match = /^(?:Linux version |vermagic=)(\d+)\.(\d+)/.exec(banner ?? '');
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

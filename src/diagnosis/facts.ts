import type { BindingExamination } from '../../native/binding/index.cjs';
import { isAssemblyLanguage, takerOf } from './toolchains.js';

/**
 * Tells whether a compiler was given `-fdebug-info-for-profiling`. DWARF does not record the flag, so other facts
 * decide:
 *
 * - `yes`: the recorded command line has the flag; or clang's line tables have lines of declarations, which no
 *   other flag adds; or discriminators are flow-sensitive, which needs this flag
 * - `likely`: there are discriminators, which LLVM makes with this flag or with `-fprofile-sample-use`
 * - `unlikely`: there are no discriminators, but code without branches needs none
 * - `no`: the recorded command line lacks the flag; or line tables lack the lines of declarations
 * - `unknown`: the compiler is neither clang nor rustc; only these two have the flag
 */
export type ProfilingFlag = 'yes' | 'likely' | 'unlikely' | 'no' | 'unknown';

/**
 * Facts about the units of one compiler, language and version of DWARF. Numbers count units, or samples that lie
 * in these units.
 */
export interface CompilerCounts {
  /** The start of `DW_AT_producer`, without a recorded command line; empty if the unit has none. */
  name: string;
  /**
   * Name of the language in DWARF, without `DW_LANG_`. `Mips_Assembler` and `Assembly` are assembly of any
   * machine.
   */
  language: string;
  dwarfVersion: number;
  units: number;
  /** Number of units whose line table has rows. */
  withLines: number;
  /** Number of units with a discriminator in the line table. */
  withDiscriminators: number;
  /** Number of units with a discriminator at the call of an inlined function. */
  withCallDiscriminators: number;
  /** Number of units that define functions. */
  withFunctions: number;
  /**
   * Number of units whose functions have the line of their declaration. Lines in a profile are counted from that
   * line.
   */
  withDeclarationLines: number;
  /** Number of units with types or variables. */
  withTypes: number;
  /** Number of units with the compiler's command line. */
  withCommandLine: number;
  /** Number of units whose command line has `-fdebug-info-for-profiling`. */
  withProfilingFlag: number;
}

/** Facts about the units of one compiler. Numbers count units. */
export interface CompilerFacts extends CompilerCounts {
  /**
   * `line-tables`: `-gmlt` or a similar level. `mixed`: some units have full debug information, some have line
   * tables only.
   */
  level: 'full' | 'line-tables' | 'mixed' | 'no functions';
  profilingFlag: ProfilingFlag;
}

/**
 * The code in which the samples of a binary lie. A sample in this survey is one execution of a straight-line
 * range.
 */
export interface SampleSurvey {
  /** Number of samples in functions of the debug information. */
  samples: bigint;
  /**
   * Samples by compiler. The numbers count samples in the compiler's units, not units. They are used only as
   * weights, and are limited to 2^53.
   */
  compilers: CompilerCounts[];
  /** Number of functions with code. */
  functions: number;
  /** Number of functions with samples. */
  sampledFunctions: number;
  /**
   * Names of functions that several units define and that share one entry of the profile. The list has the names
   * with the most samples, at most eight.
   */
  shared: { name: string; units: number; samples: bigint }[];
  /** Number of samples in all functions that share an entry. */
  sharedSamples: bigint;
}

/** Facts that a vmlinux or a kernel module holds about itself. */
export interface KernelFacts {
  /**
   * For a vmlinux, the line `Linux version ...` that is printed at boot. For a module, `vermagic=...`, the kernel
   * that it was built for.
   */
  banner: string | undefined;
  /** Version and patch level in the banner. */
  version: [number, number] | undefined;
  /** True if the configuration is embedded (`CONFIG_IKCONFIG=y`). */
  hasConfig: boolean;
  /**
   * Options of the configuration that matter for profiles, by their names with `CONFIG_`. An option that is not
   * set is missing.
   */
  options: Readonly<Record<string, string>>;
}

/** Facts that a binary holds about itself. */
export interface BinaryFacts {
  /** Size in bytes. */
  size: number;
  /** Build id in hexadecimal digits. */
  buildId: string | undefined;
  kind: BindingExamination['kind'];
  machine: BindingExamination['machine'];
  /**
   * Number of symbols of `.symtab` in the binary's code; 0 if the binary is stripped and no debug file has the
   * symbols.
   */
  codeSymbols: number;
  /** The debug file that has the symbols of a stripped binary. */
  symbolFile: string | undefined;
  /** True if discriminators are flow-sensitive, which the symbol `__llvm_fs_discriminator__` marks. */
  flowSensitive: boolean;
  /** True if the binary has pseudo probes. */
  pseudoProbes: boolean;
  /** File name in the binary's `.gnu_debuglink`. */
  debuglink: string | undefined;
  /** The file that has the binary's DWARF, and how it was found; undefined if no such file was found. */
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
  /** The compression of the debug sections; undefined if they are not compressed. */
  compression: 'zlib' | 'zstd' | undefined;
  /**
   * Number of units whose debug information lies in `.dwo` files or a package, and number of those that were
   * found.
   */
  split: { units: number; found: number };
  /** The compilers of the binary; the compiler of the most units first. */
  compilers: CompilerFacts[];
  /** The format of the debug information if it is not DWARF. Only DWARF is read. */
  otherFormat: BindingExamination['otherFormat'] | undefined;
  /** The missing file of dwz (`.gnu_debugaltlink`, `.debug_sup`), which holds names of functions. */
  missingSupplementary: string | undefined;
  /** Problems on the way to the DWARF: files that were not found, or that cannot be read. */
  problems: string[];
  /** Facts about a vmlinux or a module; undefined for other binaries. */
  kernel: KernelFacts | undefined;
}

/** Converts the addon's facts to the form of this library. */
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

/** True if LLVM made the code of the unit. */
export function isLlvm({ name }: { name: string }): boolean {
  return /clang|LLVM|rustc/.test(name);
}

/** True if the unit is assembly, which has neither functions nor discriminators. */
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
  // rustc's debuginfo=1 has no types, but it has the lines of declarations.
  if (onlyLines && counts.language !== 'Rust') return 'yes';
  if (counts.withCommandLine === counts.units) return 'no';
  if (counts.withDiscriminators === 0) return 'unlikely';
  return flowSensitive ? 'yes' : 'likely';
}

function kernelVersion(banner: string | undefined): [number, number] | undefined {
  const match = /^(?:Linux version |vermagic=)(\d+)\.(\d+)/.exec(banner ?? '');
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}

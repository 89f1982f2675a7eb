/** The compiler and the language of some code, and the amount of this code. */
interface Compiled {
  /** The start of `DW_AT_producer`. */
  name: string;
  /** Name of the language in DWARF, without `DW_LANG_`. */
  language: string;
  /** Weight of the code: a number of units, or of samples in them. */
  units: number;
}

/** Compilers that take the profiles of this program. */
export type TakerName = 'clang' | 'rustc' | 'flang' | 'swiftc';

/**
 * The compiler that takes a profile of some code, or the reason why no compiler of the language takes one.
 * `refuser`: the compiler that takes none, although others of the language do. `unsure`: true if the language is
 * too new or too rare to know.
 */
export type Taker =
  | { compiler: TakerName }
  | { compiler: undefined; language: string; why: string; refuser?: string; unsure?: true };

/** Matches the names of assembly in DWARF, as GNU as, LLVM and others write them. */
const ASSEMBLY = /Assembl(er|y)$/;

/** True if a unit is assembly, by its language in DWARF. */
export function isAssemblyLanguage(language: string): boolean {
  return ASSEMBLY.test(language);
}

/** The reason why nothing takes a profile of some code. */
export type NoTaker = Extract<Taker, { compiler: undefined }>;

/** Languages and compilers that cannot use an LLVM sample profile. The first entry that matches is used. */
const NO_TAKERS: readonly {
  producer?: RegExp;
  languages?: RegExp;
  language: string;
  refuser?: string;
  why: string;
}[] = [
  {
    languages: ASSEMBLY,
    language: 'assembly',
    why: "assemblers take no profile (OCaml's compiler has its code assembled, too)",
  },
  { producer: /^zig /i, languages: /^Zig$/, language: 'Zig', why: 'Zig takes no sample profile' },
  {
    producer: /^Crystal/i,
    languages: /^Crystal$/,
    language: 'Crystal',
    why: 'Crystal takes no sample profile',
  },
  { languages: /^Go$/, language: 'Go', why: "Go's own optimisation takes a pprof profile (go build -pgo)" },
  {
    producer: /^GNU Fortran/,
    language: 'Fortran',
    refuser: 'gfortran',
    why: 'its flag for sample profiles wants another format; flang 23 and later take this one',
  },
  {
    languages: /^Ada/,
    language: 'Ada',
    why: "the flag of gcc's GNAT for sample profiles wants another format",
  },
  { languages: /^D$/, language: 'D', why: 'D compilers take no sample profile of this format' },
  { languages: /^Pascal/, language: 'Pascal', why: 'Free Pascal takes no sample profile' },
  { languages: /^Haskell/, language: 'Haskell', why: 'GHC takes no sample profile' },
  { languages: /^OCaml/, language: 'OCaml', why: 'OCaml takes no sample profile' },
  { languages: /^Modula/, language: 'Modula', why: 'Modula compilers take no sample profile of this format' },
];

/** Matches the languages that clang compiles. A unit without a language is assumed to be one of them. */
const CLANG_LANGUAGES = /^(C\d*|C_plus_plus(_\d+)?|ObjC(_plus_plus)?|OpenCL.*|CPP_for_OpenCL|HIP|SYCL|)$/;

/** Returns the compiler that can use a profile of the given code. */
export function takerOf({ name, language }: Omit<Compiled, 'units'>): Taker {
  const none = NO_TAKERS.find(
    ({ producer, languages }) => producer?.test(name) === true || languages?.test(language) === true,
  );
  if (none !== undefined) {
    const { language: of, why, refuser } = none;
    return { compiler: undefined, language: of, why, ...(refuser !== undefined && { refuser }) };
  }
  if (language === 'Rust') return { compiler: 'rustc' };
  if (language === 'Swift') return { compiler: 'swiftc' };
  if (language.startsWith('Fortran')) return { compiler: 'flang' };
  if (CLANG_LANGUAGES.test(language)) return { compiler: 'clang' };
  const known = /^0x/.test(language)
    ? `a language that DWARF numbers ${language} and this version has no name for`
    : language;
  return {
    compiler: undefined,
    language: known,
    why: 'ask whether its compiler takes an LLVM sample profile; those that are built on LLVM often do',
    unsure: true,
  };
}

/**
 * Returns the compiler of most of the program. Returns `undefined` if no compiler takes a profile of that code.
 */
export function mainTaker(compilers: readonly Compiled[]): TakerName | undefined {
  const counts: Record<TakerName, number> = { clang: 0, rustc: 0, flang: 0, swiftc: 0 };
  for (const counted of compilers) {
    const { compiler } = takerOf(counted);
    if (compiler !== undefined) counts[compiler] += counted.units;
  }
  const [[most, units] = ['clang', 0]] = Object.entries(counts).sort(([, a], [, b]) => b - a);
  return units === 0 ? undefined : (most as TakerName);
}

/** The flags with which a compiler prepares a program for profiles, and uses a profile. */
export interface Flags {
  /** The flags that make lines exact enough, as words of a sentence. */
  profiling: string;
  /** Returns a command line that builds the program with the flags `extra`. */
  build(extra: string): string;
  /** Returns a command line that uses a profile. */
  use(profile: string): string;
  /** The requirements of these commands. */
  note?: string;
}

/**
 * Returns the flags of a compiler other than clang, whose flags depend on more facts. `producer` is the start of
 * `DW_AT_producer`.
 */
export function flagsOf(compiler: Exclude<TakerName, 'clang'>, producer: string): Flags {
  switch (compiler) {
    case 'rustc':
      return rustFlags(producer);
    case 'flang':
      return {
        profiling: '-g -fdebug-info-for-profiling',
        build: (extra) => `flang -O2 -g -fdebug-info-for-profiling${extra} ...`,
        use: (profile) => `flang -O2 -g -fprofile-sample-use=${profile} ...`,
        note: 'flang 23 or later',
      };
    case 'swiftc':
      return {
        profiling: '-g -Xfrontend -debug-info-for-profiling',
        build: (extra) => `swiftc -O -g -Xfrontend -debug-info-for-profiling${extra} ...`,
        use: (profile) => `swiftc -O -g -Xfrontend -profile-sample-use=${profile} ...`,
        note: 'these are flags of swift-frontend, which has them since November 2024',
      };
  }
}

/** Version of rustc that renamed the flags. */
const RUST_RENAMED = 98;

function rustFlags(producer: string): Flags {
  const [, minor] = /rustc version 1\.(\d+)/.exec(producer) ?? [];
  if (minor !== undefined && Number(minor) < RUST_RENAMED) {
    return {
      profiling: '-g -Zdebug-info-for-profiling, which needs a nightly rustc',
      build: () =>
        'CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="-Zdebug-info-for-profiling" cargo +nightly build --release',
      use: (profile) =>
        `CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="-Zprofile-sample-use=$PWD/${profile}" cargo +nightly build --release`,
      note: 'later than rustc 1.97: -Cdebuginfo-for-profiling and -Cprofile-sample-use',
    };
  }
  return {
    profiling: '-g -Cdebuginfo-for-profiling',
    build: () => 'CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="-Cdebuginfo-for-profiling" cargo build --release',
    use: (profile) =>
      `CARGO_PROFILE_RELEASE_DEBUG=1 RUSTFLAGS="-Cprofile-sample-use=$PWD/${profile}" cargo build --release`,
    note: 'where rustc knows no such flag, a nightly has it with -Z instead of -C; up to 1.97: -Zdebug-info-for-profiling',
  };
}

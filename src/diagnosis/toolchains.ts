/** Who compiled something, and how much. */
interface Compiled {
  /** The beginning of `DW_AT_producer`. */
  name: string;
  /** As DWARF names it, without `DW_LANG_`. */
  language: string;
  /** How much it counts for. */
  units: number;
}

/** A compiler that takes the profiles made here, or why none of the language does. */
export type Taker = { compiler: 'clang' | 'rustc' } | { compiler: undefined; language: string; why: string };

/** Languages and compilers that have no use for an LLVM sample profile; the first that fits counts. */
const NO_TAKERS: readonly { producer?: RegExp; languages?: RegExp; language: string; why: string }[] = [
  {
    languages: /^Mips_Assembler$/,
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
    languages: /^Fortran/,
    language: 'Fortran',
    why: 'flang 22 has no flag for a sample profile, and the one of gfortran wants another format',
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

/** What clang compiles. A unit without a language is given the benefit of the doubt. */
const CLANG_LANGUAGES = /^(C\d*|C_plus_plus(_\d+)?|ObjC(_plus_plus)?|OpenCL.*|CPP_for_OpenCL|HIP|)$/;

/** The compiler that can use a profile of code that was compiled so. */
export function takerOf({ name, language }: Omit<Compiled, 'units'>): Taker {
  const none = NO_TAKERS.find(
    ({ producer, languages }) => producer?.test(name) === true || languages?.test(language) === true,
  );
  if (none !== undefined) return { compiler: undefined, language: none.language, why: none.why };
  if (language === 'Rust') return { compiler: 'rustc' };
  if (CLANG_LANGUAGES.test(language)) return { compiler: 'clang' };
  const why = `no compiler of ${language} is known to take an LLVM sample profile`;
  return { compiler: undefined, language, why };
}

/** The compiler for most of the program; undefined if none takes the profile. */
export function mainTaker(compilers: readonly Compiled[]): 'clang' | 'rustc' | undefined {
  const counts = { clang: 0, rustc: 0 };
  for (const counted of compilers) {
    const { compiler } = takerOf(counted);
    if (compiler !== undefined) counts[compiler] += counted.units;
  }
  if (counts.clang + counts.rustc === 0) return undefined;
  return counts.rustc > counts.clang ? 'rustc' : 'clang';
}

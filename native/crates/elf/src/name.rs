//! Names of functions without the suffixes that compilers append.

/// The suffixes that LLVM's `FunctionSamples::getCanonicalFnName` strips under its default policy ("selected"), in
/// the order of LLVM (LLVM: SampleProf.h). Other suffixes (`.cold`, `.isra.`, `.__uniq.`) stay.
const SUFFIXES: [&[u8]; 2] = [b".llvm.", b".part."];

/// The suffixes that symbols have and names in debug information have not, in the order in which LLVM strips them
/// (LLVM: llvm-profgen's `loadSymbolsFromSymtab`).
const SYMBOL_SUFFIXES: [&[u8]; 10] = [
    b".cleanup",
    b".destroy",
    b".resume",
    b".cold",
    b".warm",
    b".llvm.",
    b".part.",
    b".isra.",
    b".constprop.",
    b".lto_priv.",
];

/// Returns the name under which LLVM stores the profile of the function with the symbol name `name`.
///
/// Cuts off each suffix at its last occurrence, unless a further `.` follows the suffix.
#[must_use]
pub fn canonical_name(name: &[u8]) -> &[u8] {
    strip(name, &SUFFIXES)
}

/// Returns the name of the function that the symbol `name` is a part or a variant of.
#[must_use]
pub fn function_of_symbol(name: &[u8]) -> &[u8] {
    strip(name, &SYMBOL_SUFFIXES)
}

fn strip<'n>(name: &'n [u8], suffixes: &[&[u8]]) -> &'n [u8] {
    suffixes.iter().fold(name, |name, suffix| {
        let Some(at) = name.windows(suffix.len()).rposition(|window| window == *suffix) else {
            return name;
        };
        if name[at + suffix.len()..].contains(&b'.') {
            name
        } else {
            &name[..at]
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{canonical_name, function_of_symbol};

    #[test]
    fn strips_selected_suffixes_only() {
        let cases: &[(&str, &str)] = &[
            ("f", "f"),
            ("", ""),
            ("f.llvm.12", "f"),
            ("f.llvm.12.cold", "f.llvm.12.cold"),
            ("f.part.3", "f"),
            ("f.part.3.llvm.9", "f"),
            ("f.llvm.9.part.3", "f.llvm.9"),
            ("f.llvm.1.llvm.2", "f.llvm.1"),
            ("f.__uniq.77", "f.__uniq.77"),
            ("f.__uniq.77.llvm.5", "f.__uniq.77"),
            ("f.isra.0", "f.isra.0"),
            ("f.constprop.0.part.1", "f.constprop.0"),
            ("f.cold", "f.cold"),
            (".llvm.1", ""),
            ("f.llvm.", "f"),
            ("f.llvm", "f.llvm"),
        ];
        for (name, want) in cases {
            assert_eq!(canonical_name(name.as_bytes()), want.as_bytes(), "{name}");
        }
    }

    #[test]
    fn symbols_of_parts_lead_to_their_function() {
        let cases: &[(&str, &str)] = &[
            ("f", "f"),
            ("f.cold", "f"),
            ("f.cold.1", "f.cold.1"),
            ("f.cold.llvm.7", "f.cold"),
            ("f.llvm.7.cold", "f"),
            ("f.resume", "f"),
            ("f.resume.cold", "f.resume"),
            ("f.coldest", "f"),
            ("f.isra.0", "f"),
            ("f.constprop.0.isra.0", "f"),
            ("f.__uniq.77", "f.__uniq.77"),
        ];
        for (name, want) in cases {
            assert_eq!(function_of_symbol(name.as_bytes()), want.as_bytes(), "{name}");
        }
    }
}

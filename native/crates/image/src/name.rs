//! Function names without the suffixes that compilers append.

/// The suffixes that LLVM's `FunctionSamples::getCanonicalFnName` strips under its default policy
/// ("selected"), in its order (LLVM: SampleProf.h). Others (`.cold`, `.isra.`, `.__uniq.`) stay.
const SUFFIXES: [&[u8]; 2] = [b".llvm.", b".part."];

/// The name under which LLVM files the profile of the function with the symbol name `name`.
///
/// Each suffix is cut off at its last occurrence, unless a further `.` follows it.
#[must_use]
pub fn canonical_name(name: &[u8]) -> &[u8] {
    SUFFIXES.iter().fold(name, |name, suffix| {
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
    use super::canonical_name;

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
}

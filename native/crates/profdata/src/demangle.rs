//! Demangles names.

/// Replaces every mangled name in `text` (Itanium C++, Rust legacy and v0), as `c++filt` does.
#[must_use]
pub fn demangle(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_symbol_character) {
        let end = rest[start..]
            .find(|character| !is_symbol_character(character))
            .map_or(rest.len(), |length| start + length);
        out.push_str(&rest[..start]);
        let word = &rest[start..end];
        match demangle_name(word) {
            Some(name) => out.push_str(&name),
            None => out.push_str(word),
        }
        rest = &rest[end..];
    }
    out + rest
}

fn is_symbol_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '$' | '@')
}

fn demangle_name(name: &str) -> Option<String> {
    // Rust comes first, because Rust's legacy names are valid C++ names with a hash at the end.
    if let Ok(symbol) = rustc_demangle::try_demangle(name) {
        // The alternate form leaves out the hash.
        return Some(format!("{symbol:#}"));
    }
    let name = name
        .strip_prefix("_")
        .filter(|name| name.starts_with("_Z"))
        .unwrap_or(name);
    if !name.starts_with("_Z") {
        return None;
    }
    cpp_demangle::Symbol::new(name).ok()?.demangle().ok()
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn only_mangled_words_change() {
        let cases = [
            ("main: 3, 4", "main: 3, 4"),
            (" 7.1: 5, calls: _Z3foov:4 bar:1", " 7.1: 5, calls: foo():4 bar:1"),
            (
                "_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE:1",
                "core::fmt::Write::write_fmt:1",
            ),
            ("_RNvC6_123foo3bar", "123foo::bar"),
            ("_Zwhat", "_Zwhat"),
            ("", ""),
            ("ünï _Z1gi", "ünï g(int)"),
        ];
        for (mangled, expected) in cases {
            assert_eq!(demangle(mangled), expected);
        }
    }
}

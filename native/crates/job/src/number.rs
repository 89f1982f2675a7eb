//! Numbers of things in sentences.

/// A number of things: `1 sample`, `2 samples`, `3 branch entries`.
#[must_use]
pub fn count_of(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        _ => format!("{count} {}", plural(thing)),
    }
}

/// The form of a verb that fits to a number: `was` or `were`.
#[must_use]
pub fn form(count: u64, singular: &'static str, plural: &'static str) -> &'static str {
    if count == 1 { singular } else { plural }
}

fn plural(thing: &str) -> String {
    match thing.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if thing.ends_with("ch") || thing.ends_with("ss") => format!("{thing}es"),
        None => format!("{thing}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn singular_and_plural_forms() {
        assert_eq!(count_of(0, "function"), "0 functions");
        assert_eq!(count_of(1, "branch entry"), "1 branch entry");
        assert_eq!(count_of(2, "branch entry"), "2 branch entries");
        assert_eq!(count_of(2, "branch"), "2 branches");
        assert_eq!(
            count_of(u64::MAX, "start address"),
            "18446744073709551615 start addresses"
        );
        assert_eq!([0, 1, 2].map(|count| form(count, "is", "are")), ["are", "is", "are"]);
    }
}

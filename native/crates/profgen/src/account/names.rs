//! Lists of names in messages.

/// How many files an error message lists.
const LISTED_FILES: usize = 8;

/// A few names, and how many more there are.
pub(crate) fn list(names: &[&str]) -> String {
    let shown = names[..names.len().min(LISTED_FILES)].join(", ");
    match names.len().saturating_sub(LISTED_FILES) {
        0 if names.is_empty() => "no files at all".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

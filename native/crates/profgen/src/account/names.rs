//! Lists of names in messages.

/// Most files that an error message lists.
const LISTED_FILES: usize = 8;

/// Returns a text with the first few names, and the number of the others.
pub(crate) fn list(names: &[&str]) -> String {
    let shown = names[..names.len().min(LISTED_FILES)].join(", ");
    match names.len().saturating_sub(LISTED_FILES) {
        0 if names.is_empty() => "no file".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

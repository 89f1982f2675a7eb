//! Reads NUL-terminated strings in ELF string tables.

/// Largest length of a string in bytes. Longer strings count as absent. No name is nearly as long, and the limit
/// bounds the time of each look-up in a hostile table with one long string.
const MAX_LENGTH: usize = 1 << 16;

/// Returns the string at `offset` of `table`; empty if the string has no end.
pub(crate) fn string_at(table: &[u8], offset: u32) -> &[u8] {
    let rest = table.get(offset as usize..).unwrap_or_default();
    let rest = &rest[..rest.len().min(MAX_LENGTH)];
    memchr::memchr(0, rest).map_or(b"", |end| &rest[..end])
}

/// Returns true if the string at `offset` of `table` is `wanted`.
pub(crate) fn string_is(table: &[u8], offset: u32, wanted: &[u8]) -> bool {
    let rest = table.get(offset as usize..).and_then(|rest| rest.strip_prefix(wanted));
    rest.is_some_and(|rest| rest.first() == Some(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_end_with_nul() {
        let table = b"\0abc\0abd";
        assert_eq!(string_at(table, 0), b"");
        assert_eq!(string_at(table, 1), b"abc");
        assert_eq!(string_at(table, 2), b"bc");
        assert_eq!(string_at(table, 5), b"", "no end");
        assert_eq!(string_at(table, 99), b"");
        assert!(string_is(table, 1, b"abc"));
        assert!(!string_is(table, 1, b"ab"));
        assert!(!string_is(table, 1, b"abcd"));
        assert!(!string_is(table, 5, b"abd"));
        assert!(string_is(table, 0, b""));
        assert!(!string_is(table, 99, b""));
    }
}

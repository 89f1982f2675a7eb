//! The texts of the columns `via`, `branch_stack` and `patch`. Texts hold several values, and any engine can group by
//! them.

use crate::hexadecimal::{address_of, push_address};

/// Source and target of a branch in one file; `None` outside of the file.
pub type Ends = (Option<u64>, Option<u64>);

/// Encodes branches as `1a0>1f4 ->2c0 300>-`, and appends the code to `text`: hexadecimal source and target, with `-`
/// for an address outside of the file. In `via`, the branch nearest to that of the row comes first, and in
/// `branch_stack` the newest one. The code has no characters but those of ASCII.
pub fn push_branches(text: &mut Vec<u8>, branches: impl IntoIterator<Item = Ends>) {
    for (index, (from, to)) in branches.into_iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        push_end(text, from);
        text.push(b'>');
        push_end(text, to);
    }
}

/// Appends an address in hexadecimal, or `-`.
#[inline]
pub(crate) fn push_end(text: &mut Vec<u8>, end: Option<u64>) {
    match end {
        Some(address) => push_address(text, address),
        None => text.push(b'-'),
    }
}

/// Decodes the text of [`push_branches`], one branch at a time. A branch is `None` if any other text stands in its place,
/// and no branch follows it.
#[inline]
pub fn branches_of(text: &str) -> impl Iterator<Item = Option<Ends>> {
    let mut rest = Some(text.as_bytes());
    std::iter::from_fn(move || {
        let branch = branch(rest.take()?);
        if let Some((_, [b' ', behind @ ..])) = branch {
            rest = Some(behind);
        }
        Some(branch.map(|(ends, _)| ends))
    })
}

/// Decodes the branch at the front of a text; returns what stands after it: nothing, or a space and more.
fn branch(text: &[u8]) -> Option<(Ends, &[u8])> {
    let (from, rest) = end(text)?;
    let (to, rest) = end(rest.strip_prefix(b">")?)?;
    matches!(rest, [] | [b' ', ..]).then_some(((from, to), rest))
}

/// Decodes `-` or the hexadecimal address at the front of a text; returns what stands after it.
#[inline]
pub(crate) fn end(text: &[u8]) -> Option<(Option<u64>, &[u8])> {
    if let [b'-', rest @ ..] = text {
        return Some((None, rest));
    }
    let (address, rest) = address_of(text)?;
    Some((Some(address), rest))
}

fn hexadecimal(digits: &str) -> Option<u64> {
    // The digits are checked because `from_str_radix` accepts a sign as well.
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// Returns true if a text is a build id: bytes in lower-case hexadecimal that are not all 0.
pub(crate) fn is_build_id(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len().is_multiple_of(2) && text.bytes().all(is_digit) && text.bytes().any(|byte| byte != b'0')
}

/// Returns the beginning of a wrong text, for messages, because a cell may have megabytes.
#[must_use]
pub fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let beginning: String = text.chars().take(MOST).collect();
    let more = if beginning.len() < text.len() { " and more" } else { "" };
    format!("{beginning:?}{more}")
}

/// Encodes the bytes before and after a rewriting as `0f1f440000>e81c3a0000`, in hexadecimal. Either may be empty.
#[must_use]
pub fn write_patch(old: &[u8], new: &[u8]) -> String {
    let digits = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    format!("{}>{}", digits(old), digits(new))
}

/// Decodes the text of [`write_patch`]; returns `None` for any other text.
#[must_use]
pub fn parse_patch(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let bytes = |digits: &str| -> Option<Vec<u8>> {
        let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::try_from(hexadecimal(str::from_utf8(pair).ok()?)?).ok();
        rest.is_empty().then(|| pairs.iter().map(byte).collect()).flatten()
    };
    let (old, new) = text.split_once('>')?;
    Some((bytes(old)?, bytes(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_branches(text: &str) -> Option<Vec<Ends>> {
        branches_of(text).collect()
    }

    #[test]
    fn texts_are_read_as_written() {
        let via = [(Some(0x1a0), Some(0x1f4)), (None, Some(0x2c0)), (Some(0x300), None)];
        let mut bytes = Vec::new();
        push_branches(&mut bytes, via);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(text, "1a0>1f4 ->2c0 300>-");
        assert_eq!(parse_branches(&text).as_deref(), Some(&via[..]));
        push_branches(&mut bytes, [(Some(0), Some(u64::MAX)), (Some(0x10), Some(0xf))]);
        assert_eq!(bytes, b"1a0>1f4 ->2c0 300>-0>ffffffffffffffff 10>f");
        let patch = write_patch(&[0x0f, 0x1f], &[]);
        assert_eq!(patch, "0f1f>");
        assert_eq!(parse_patch(&patch), Some((vec![0x0f, 0x1f], vec![])));
    }

    #[test]
    fn addresses_may_have_any_case_and_leading_zeros() {
        let expected = vec![(Some(0xab), Some(u64::MAX))];
        assert_eq!(parse_branches("00000000000000000aB>FFFFffffFFFFffff"), Some(expected));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            " ",
            "1",
            "1>",
            ">1",
            "1>2 ",
            "1>2 3",
            "1>2  3>4",
            "1>2x3>4",
            "-1>2",
            "+1>2",
            "1>2>3",
            "1>g",
            "11111111111111111>0",
        ] {
            assert_eq!(parse_branches(text), None, "{text:?}");
        }
        for text in ["", "0f", "0>", "0g>", "+1>", "é>"] {
            assert_eq!(parse_patch(text), None, "{text:?}");
        }
    }
}

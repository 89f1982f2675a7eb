//! The two columns of a sampled stack, encoded as texts so that any engine can group by them.

use crate::text::Ends;

/// Largest number of entries of a branch stack that are read. A record of perf.data has at most 64 KiB, and an entry
/// has 24 bytes.
pub const MAX_STACK_ENTRIES: usize = 1 << 12;

/// Largest number of frames of a call chain that are read. A chain comes from two records of perf.data at most, each
/// with at most 64 KiB, and a frame has 8 bytes.
pub const MAX_CHAIN_FRAMES: usize = 1 << 14;

/// Upper bound of addresses, exclusive, so that engines without unsigned numbers can hold them.
const END_OF_FILE: u64 = 1 << 63;

/// Appends an address in lower-case hexadecimal, or `-` for an address outside of the file.
fn push_address(text: &mut String, address: Option<u64>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let Some(address) = address else {
        return text.push('-');
    };
    let digits = (u64::BITS - address.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        text.push(char::from(DIGITS[(address >> (4 * digit) & 15) as usize]));
    }
}

/// Appends a branch stack as `1a0>1f4 ->2c0 300>-`, the newest entry first: hexadecimal source and target of each
/// entry, with `-` for an address outside of the file.
pub fn write_branch_stack(entries: impl IntoIterator<Item = Ends>, text: &mut String) {
    for (index, (from, to)) in entries.into_iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        push_address(text, from);
        text.push('>');
        push_address(text, to);
    }
}

/// Appends a call chain as `1a0 - 2c0`, the innermost frame first: the sampled address and the return addresses in
/// hexadecimal, with `-` for one or more neighbouring frames outside of the file.
pub fn write_call_chain(frames: impl IntoIterator<Item = Option<u64>>, text: &mut String) {
    for (index, frame) in frames.into_iter().enumerate() {
        if index > 0 {
            text.push(' ');
        }
        push_address(text, frame);
    }
}

/// Decodes the text of [`write_branch_stack`], and puts the entries in place of those in `entries`. Returns `None`,
/// with some entries, for any other text: one with an entry that has no end in the file, with an address of 2^63 or
/// more, or with more than [`MAX_STACK_ENTRIES`] entries.
#[must_use]
pub fn parse_branch_stack(text: &str, entries: &mut Vec<Ends>) -> Option<()> {
    entries.clear();
    let mut rest = text.as_bytes();
    loop {
        let from = take_address(&mut rest)?;
        take(&mut rest, b'>')?;
        let to = take_address(&mut rest)?;
        let is_of_file = from.is_some() || to.is_some();
        (is_of_file && entries.len() < MAX_STACK_ENTRIES).then_some(())?;
        entries.push((from, to));
        if rest.is_empty() {
            return Some(());
        }
        take(&mut rest, b' ')?;
    }
}

/// Decodes the text of [`write_call_chain`], and puts the frames in place of those in `frames`. Returns `None`, with
/// some frames, for any other text: one without a frame, with an address of 2^63 or more, or with more than
/// [`MAX_CHAIN_FRAMES`] frames.
#[must_use]
pub fn parse_call_chain(text: &str, frames: &mut Vec<Option<u64>>) -> Option<()> {
    frames.clear();
    let mut rest = text.as_bytes();
    loop {
        let frame = take_address(&mut rest)?;
        (frames.len() < MAX_CHAIN_FRAMES).then_some(())?;
        frames.push(frame);
        if rest.is_empty() {
            return Some(());
        }
        take(&mut rest, b' ')?;
    }
}

#[inline]
fn take(rest: &mut &[u8], expected: u8) -> Option<()> {
    let (&first, behind) = rest.split_first()?;
    *rest = behind;
    (first == expected).then_some(())
}

/// Reads an address, or `-` for an address outside of the file.
#[inline]
fn take_address(rest: &mut &[u8]) -> Option<Option<u64>> {
    if rest.first() == Some(&b'-') {
        *rest = &rest[1..];
        return Some(None);
    }
    let (mut address, mut digits) = (0u64, 0);
    while let Some(&byte) = rest.get(digits) {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => break,
        };
        address = address << 4 | u64::from(digit);
        digits += 1;
    }
    *rest = &rest[digits..];
    ((1..=16).contains(&digits) && address < END_OF_FILE).then_some(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_written() {
        let most = END_OF_FILE - 1;
        let stack = [(Some(0x1a0), Some(0x1f4)), (None, Some(0)), (Some(most), None)];
        let mut text = String::new();
        write_branch_stack(stack, &mut text);
        assert_eq!(text, "1a0>1f4 ->0 7fffffffffffffff>-");
        let mut entries = vec![(None, None)];
        assert_eq!(parse_branch_stack(&text, &mut entries), Some(()));
        assert_eq!(entries, stack);

        let chain = [Some(0x10), None, Some(most)];
        let mut text = String::new();
        write_call_chain(chain, &mut text);
        assert_eq!(text, "10 - 7fffffffffffffff");
        let mut frames = vec![None];
        assert_eq!(parse_call_chain(&text, &mut frames), Some(()));
        assert_eq!(frames, chain);
        assert_eq!(parse_call_chain("- -", &mut frames), Some(()));
        assert_eq!(frames, [None, None]);
    }

    #[test]
    fn other_texts_are_refused() {
        let texts = [
            "",
            " ",
            "1",
            "1>",
            ">1",
            "->-",
            "1>2 ",
            " 1>2",
            "1>2  3>4",
            "+1>2",
            "1>2>3",
            "1>g",
            "1,2",
            "8000000000000000>1",
            "00000000000000001>2",
            "-1>2",
        ];
        for text in texts {
            assert_eq!(parse_branch_stack(text, &mut Vec::new()), None, "{text:?}");
        }
        for text in [
            "",
            " ",
            "1 ",
            " 1",
            "1  2",
            "+1",
            "1>2",
            "g",
            "1,2",
            "8000000000000000",
            "00000000000000001",
            "-1",
        ] {
            assert_eq!(parse_call_chain(text, &mut Vec::new()), None, "{text:?}");
        }
    }

    #[test]
    fn lengths_have_bounds() {
        let repeated = |item: &str, times| vec![item; times].join(" ");
        let mut entries = Vec::new();
        assert!(parse_branch_stack(&repeated("1>2", MAX_STACK_ENTRIES), &mut entries).is_some());
        assert!(parse_branch_stack(&repeated("1>2", MAX_STACK_ENTRIES + 1), &mut entries).is_none());
        let mut frames = Vec::new();
        assert!(parse_call_chain(&repeated("-", MAX_CHAIN_FRAMES), &mut frames).is_some());
        assert!(parse_call_chain(&repeated("-", MAX_CHAIN_FRAMES + 1), &mut frames).is_none());
    }
}

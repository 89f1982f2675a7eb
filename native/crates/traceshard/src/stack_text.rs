//! The two columns of a sampled stack, encoded as texts so that any engine can group by them.

use crate::text::{Ends, branches_of, end, push_end};

/// Largest number of entries of a branch stack that are read. A record of perf.data has at most 64 KiB, and an entry
/// has 24 bytes.
pub const MAX_STACK_ENTRIES: usize = 1 << 12;

/// Largest number of frames of a call chain that are read. A chain comes from two records of perf.data at most, each
/// with at most 64 KiB, and a frame has 8 bytes.
pub const MAX_CHAIN_FRAMES: usize = 1 << 14;

/// Upper bound of addresses, exclusive, so that engines without unsigned numbers can hold them.
const END_OF_FILE: u64 = 1 << 63;

/// Appends a call chain as `1a0 - 2c0`, the innermost frame first: the sampled address and the return addresses in
/// hexadecimal, with `-` for one or more neighbouring frames outside of the file.
pub fn write_call_chain(frames: impl IntoIterator<Item = Option<u64>>, text: &mut Vec<u8>) {
    for (index, frame) in frames.into_iter().enumerate() {
        if index > 0 {
            text.push(b' ');
        }
        push_end(text, frame);
    }
}

/// Decodes the text of [`push_branches`](crate::push_branches), and puts the entries in place of those in `entries`.
/// Returns `None`, with some entries, for any other text, and for one with an entry that has no end in the file, with an
/// address of 2^63 or more, or with more than [`MAX_STACK_ENTRIES`] entries.
#[must_use]
pub fn parse_branch_stack(text: &str, entries: &mut Vec<Ends>) -> Option<()> {
    entries.clear();
    for entry in branches_of(text) {
        let (from, to) = entry?;
        let is_of_file = (from.is_some() || to.is_some()) && is_in_file(from) && is_in_file(to);
        (is_of_file && entries.len() < MAX_STACK_ENTRIES).then_some(())?;
        entries.push((from, to));
    }
    Some(())
}

/// Decodes the text of [`write_call_chain`], and puts the frames in place of those in `frames`. Returns `None`, with
/// some frames, for any other text, and for one without a frame, with an address of 2^63 or more, or with more than
/// [`MAX_CHAIN_FRAMES`] frames.
#[must_use]
pub fn parse_call_chain(text: &str, frames: &mut Vec<Option<u64>>) -> Option<()> {
    frames.clear();
    let mut rest = text.as_bytes();
    loop {
        let (frame, behind) = end(rest)?;
        (is_in_file(frame) && frames.len() < MAX_CHAIN_FRAMES).then_some(())?;
        frames.push(frame);
        if behind.is_empty() {
            return Some(());
        }
        rest = behind.strip_prefix(b" ")?;
    }
}

/// Returns true for an address that a file can have, and for the absence of an address.
fn is_in_file(address: Option<u64>) -> bool {
    address.is_none_or(|address| address < END_OF_FILE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::push_branches;

    fn text_of(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        write(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn texts_are_read_as_written() {
        let most = END_OF_FILE - 1;
        let stack = [(Some(0x1a0), Some(0x1f4)), (None, Some(0)), (Some(most), None)];
        let text = text_of(|text| push_branches(text, stack));
        assert_eq!(text, "1a0>1f4 ->0 7fffffffffffffff>-");
        let mut entries = vec![(None, None)];
        assert_eq!(parse_branch_stack(&text, &mut entries), Some(()));
        assert_eq!(entries, stack);

        let chain = [Some(0x10), None, Some(most)];
        let text = text_of(|text| write_call_chain(chain, text));
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

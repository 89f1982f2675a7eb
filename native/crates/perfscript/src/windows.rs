//! Cuts a text of any length into windows of bounded size that begin and end where items do.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use crate::branches::Dialect;
use crate::kind::{SampleKind, detect};
use crate::mapping::{MARK, MappingLine};

/// Number of bytes handed out at a time.
const WINDOW_SIZE: usize = 4 << 20;

/// Number of bytes from the beginning in which the first line of branch entries must stand. Also the largest size of
/// an item.
const MAX_ITEM_SIZE: usize = 64 << 20;

/// Number of bytes that are given back of an input that is not such a text.
const HEAD_SIZE: usize = 4 << 10;

/// A reader of a text, once, from its beginning to its end.
#[derive(Debug)]
pub struct Windows<R> {
    reader: R,
    dialect: Dialect,
    kind: SampleKind,
    /// Bytes that were read and not handed out.
    pending: Vec<u8>,
    ended: bool,
    /// Largest number of bytes handed out at a time. Only a longer item exceeds it.
    window: usize,
    max_item_size: usize,
}

/// A part of the text. It begins and ends where items do.
#[derive(Debug, Default)]
pub struct Window {
    /// The text of the window.
    pub text: Vec<u8>,
    /// True if a line after the text was skipped because it is too long.
    pub skipped_line: bool,
}

impl<R: Read> Windows<R> {
    /// Begins to read. If no line near the beginning has branch entries, returns the first bytes of the input.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub fn open(reader: R, dialect: Dialect) -> io::Result<Result<Self, Vec<u8>>> {
        Self::open_with(reader, dialect, WINDOW_SIZE, MAX_ITEM_SIZE)
    }

    fn open_with(
        reader: R,
        dialect: Dialect,
        window: usize,
        max_item_size: usize,
    ) -> io::Result<Result<Self, Vec<u8>>> {
        let mut windows = Self {
            reader,
            dialect,
            kind: SampleKind::Branches,
            pending: Vec::new(),
            ended: false,
            window,
            max_item_size,
        };
        let mut text = Vec::new();
        while !windows.ended && text.len() < max_item_size {
            windows.read_more(&mut text, window)?;
            let whole_lines = if windows.ended {
                text.len()
            } else {
                end_of_last_line(&text)
            };
            if let Some(kind) = detect(&text[..whole_lines], dialect) {
                windows.kind = kind;
                windows.pending = text;
                return Ok(Ok(windows));
            }
        }
        text.truncate(HEAD_SIZE);
        Ok(Err(text))
    }

    /// Returns what the samples of the text consist of.
    #[must_use]
    pub fn kind(&self) -> SampleKind {
        self.kind
    }

    /// Reads the next window. Returns false at the end of the text.
    ///
    /// # Errors
    /// When the text cannot be read.
    pub fn read(&mut self, window: &mut Window) -> io::Result<bool> {
        let Window { text, skipped_line } = window;
        *skipped_line = false;
        text.clear();
        text.append(&mut self.pending);
        let mut wanted = self.window.saturating_sub(text.len());
        loop {
            self.read_more(text, wanted)?;
            if self.ended {
                return Ok(!text.is_empty());
            }
            if let Some(end) = self.last_item_end(text) {
                self.carry_over(text, end, end);
                return Ok(true);
            }
            if text.len() >= self.max_item_size {
                break;
            }
            wanted = self.window;
        }
        // An endless run of numbers or frames is cut into two windows. An endless line is skipped.
        match end_of_last_line(text) {
            0 => *skipped_line = self.skip_line(text)?,
            end => self.carry_over(text, end, end),
        }
        Ok(true)
    }

    fn read_more(&mut self, text: &mut Vec<u8>, wanted: usize) -> io::Result<()> {
        if wanted > 0 && !self.ended {
            let old = text.len();
            let count = self.reader.by_ref().take(wanted as u64).read_to_end(text)?;
            self.ended = count < wanted;
            if self.dialect == Dialect::Anything {
                drop_carriage_returns(text, old.saturating_sub(1));
            }
        }
        Ok(())
    }

    /// Keeps the bytes from `from` on for the next window. This window ends at `end`.
    fn carry_over(&mut self, text: &mut Vec<u8>, end: usize, from: usize) {
        self.pending.extend_from_slice(&text[from..]);
        text.truncate(end);
    }

    /// Returns the end of the last item that is known to be complete.
    fn last_item_end(&self, text: &[u8]) -> Option<usize> {
        let mut end = end_of_last_line(text);
        while end > 0 {
            let start = end_of_last_line(&text[..end - 1]);
            if self.kind.ends_item(&text[start..end - 1]) {
                return Some(end);
            }
            end = start;
        }
        None
    }

    /// Reads up to the end of the line that `text` begins, and leaves none of its bytes. Returns false if the line has
    /// no end.
    fn skip_line(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            text.clear();
            self.read_more(text, self.window)?;
            if let Some(end) = memchr(b'\n', text) {
                self.carry_over(text, 0, end + 1);
                return Ok(true);
            }
            if self.ended {
                text.clear();
                return Ok(true);
            }
        }
    }
}

/// Replaces CR LF by the line end of perf. Texts that were copied on Windows have CR LF. `text` has none before
/// `from`.
fn drop_carriage_returns(text: &mut Vec<u8>, from: usize) {
    let mut kept = None;
    let mut position = from;
    while let Some(at) = memmem::find(&text[position..], b"\r\n").map(|at| position + at) {
        let start = kept.unwrap_or(position);
        text.copy_within(position..at, start);
        kept = Some(start + at - position);
        position = at + 1;
    }
    if let Some(kept) = kept {
        let rest = text.len() - position;
        text.copy_within(position.., kept);
        text.truncate(kept + rest);
    }
}

/// Returns the position after the last line end.
fn end_of_last_line(text: &[u8]) -> usize {
    memrchr(b'\n', text).map_or(0, |at| at + 1)
}

/// Cuts `text`, which begins where an item does, into blocks of about `size` bytes, which also begin where items do.
#[must_use]
pub fn blocks(text: &[u8], kind: SampleKind, size: usize) -> Vec<Range<usize>> {
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = start.saturating_add(size);
        // The block ends after the first line that ends an item, from the line at its planned end on.
        end = loop {
            let Some(line_end) = text.get(end..).and_then(|rest| memchr(b'\n', rest)).map(|at| end + at) else {
                break text.len();
            };
            let line_start = start.max(end_of_last_line(&text[..line_end]));
            if kind.ends_item(&text[line_start..line_end]) {
                break line_end + 1;
            }
            end = line_end + 1;
        };
        blocks.push(start..end);
        start = end;
    }
    blocks
}

/// Finds the mappings in a `block` of `text`, with the offsets at which their lines end.
pub fn mappings<'a>(
    text: &'a [u8],
    block: Range<usize>,
    kind: SampleKind,
    dialect: Dialect,
) -> impl Iterator<Item = (usize, MappingLine<'a>)> {
    let mark = memmem::Finder::new(MARK);
    let mut position = block.start;
    std::iter::from_fn(move || {
        loop {
            let at = position + mark.find(text.get(position..block.end)?)?;
            let start = position + end_of_last_line(&text[position..at]);
            let end = memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
            position = end + 1;
            let line = &text[start..end];
            if MappingLine::is_mapping_line(line, dialect)
                && kind.begins_item(&text[..start])
                && let Some(mapping) = MappingLine::read(line)
            {
                return Some((end, mapping));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces(text: &[u8], window: usize, max_item_size: usize) -> Vec<(String, bool)> {
        let reader = Windows::open_with(text, Dialect::Anything, window, max_item_size).expect("memory can be read");
        let Ok(mut reader) = reader else { return Vec::new() };
        let mut found = Vec::new();
        let mut window = Window::default();
        while reader.read(&mut window).expect("memory can be read") {
            found.push((String::from_utf8_lossy(&window.text).into_owned(), window.skipped_line));
        }
        found
    }

    #[test]
    fn pieces_end_where_items_do() {
        let found = pieces(b"4f 0x1/0x2\n3\n4\n5\n4f 0x3/0x4\n6\n", 12, 64);
        let texts: Vec<_> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["4f 0x1/0x2\n", "3\n4\n5\n4f 0x3/0x4\n6\n"]);
    }

    #[test]
    fn carriage_returns_before_line_ends_are_dropped() {
        for (text, want) in [
            ("4f 0x1/0x2\r\n3\r\n4f 0x3/0x4\r\n", "4f 0x1/0x2\n3\n4f 0x3/0x4\n"),
            ("4f 0x1/0x2\r\n\r\n\ra\r\r\nb\r", "4f 0x1/0x2\n\n\ra\r\nb\r"),
        ] {
            // The texts are cut at every place.
            for window in 1..=text.len() + 1 {
                let found = pieces(text.as_bytes(), window, 64);
                let all: String = found.into_iter().map(|(text, _)| text).collect();
                assert_eq!(all, want, "{window}");
            }
        }
    }

    #[test]
    fn a_line_without_end_is_passed_over() {
        let text = format!("4f 0x1/0x2\n{}\n4f 0x3/0x4", "x".repeat(200));
        let found = pieces(text.as_bytes(), 16, 64);
        let want = [("4f 0x1/0x2\n", false), ("", true), ("4f 0x3/0x4", false)];
        assert_eq!(found, want.map(|(text, passed)| (text.to_owned(), passed)));
    }

    #[test]
    fn without_branch_entries_there_is_nothing_to_read() {
        assert!(pieces(b"app 12 4f main\n", 8, 64).is_empty());
        assert!(pieces(&b"x\n".repeat(100), 8, 64).is_empty());
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            Just("7"),
            Just(" 4f"),
            Just(" 0x1/0x2"),
            Just("4f 0x1/0x2"),
            Just(""),
            Just("# PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app"),
        ]
        .prop_map(str::to_owned)
    }

    /// Returns the items that a parser finds in a text.
    fn items(text: &[u8], kind: SampleKind) -> Vec<String> {
        let mut parser = crate::Parser::new(text, Dialect::Anything);
        let mut found = Vec::new();
        while let Some(item) = parser.next_item() {
            let text = |line: crate::Line<'_>| String::from_utf8_lossy(line.text).into_owned();
            found.push(match (item, kind) {
                (crate::Item::Mapping(line), _) => text(line),
                (crate::Item::Sample { times }, SampleKind::Branches) => {
                    format!("{times} {:?}", parser.branches().map(text))
                }
                (crate::Item::Sample { times }, SampleKind::CallStacks) => match parser.call_stack(|_| true) {
                    crate::CallStack::Branches(line) => format!("{times} {}", text(line)),
                    crate::CallStack::Rejected(line) => format!("{times} rejected {:?}", line.map(text)),
                    other => format!("{times} {other:?}"),
                },
            });
        }
        found
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(
            lines in prop::collection::vec(line(), 0..40),
            ends in any::<bool>(),
            size in 1usize..60,
            stacks in any::<bool>(),
        ) {
            let kind = if stacks { SampleKind::CallStacks } else { SampleKind::Branches };
            let mut text = lines.join("\n").into_bytes();
            if ends {
                text.push(b'\n');
            }
            let whole = items(&text, kind);
            let cut = blocks(&text, kind, size);
            prop_assert_eq!(cut.iter().map(|block| &text[block.clone()]).collect::<Vec<_>>().concat(), &text[..]);
            let parts: Vec<_> = cut.iter().flat_map(|block| items(&text[block.clone()], kind)).collect();
            prop_assert_eq!(&parts, &whole);
            // The mappings that are found without parsing must be those that the parser finds.
            let found = cut.into_iter().flat_map(|block| mappings(&text, block, kind, Dialect::Anything)).count();
            prop_assert_eq!(found, whole.iter().filter(|item| item.starts_with('#')).count());
        }
    }
}

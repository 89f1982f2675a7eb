//! Reads the items of a text in their order: mappings and samples.

use memchr::{memchr, memmem};

use crate::branches::Dialect;
use crate::chars::trim_start;
use crate::kind::BRANCHES_AFTER_FRAMES;
use crate::mapping::{MARK, MappingLine};
use crate::number::{decimal, hex};

/// A line of the text, without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The text of the line.
    pub text: &'a [u8],
    /// Number of the line among the lines that the parser was given; the first is 0.
    pub index: u64,
}

/// An item of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line about a mapping, for [`MappingLine::read`].
    Mapping(Line<'a>),
    /// A sample that was taken `times` times. In a text with call stacks, [`Parser::call_stack`] must be called next;
    /// in other texts, [`Parser::branches`].
    Sample {
        /// The number in the line before, which may be 0; 1 if that line is not a number.
        times: u64,
    },
}

/// The line that follows the frames of a call stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallStack<'a> {
    /// The line of branch entries.
    Branches(Line<'a>),
    /// Something that is not part of a sample, such as a comment or an empty line. There is no sample. The line of
    /// branch entries after it, if there is one, is skipped.
    Rejected(Option<Line<'a>>),
    /// The end of the text.
    Cut,
}

/// A reader of whole items from a block of text.
#[derive(Debug)]
pub struct Parser<'a> {
    text: &'a [u8],
    position: usize,
    lines: u64,
    /// The next line, if it was searched for already.
    line: Option<&'a [u8]>,
    dialect: Dialect,
    mark: memmem::Finder<'static>,
    /// Position of the mark in the next line about a mapping, or the length of the text.
    next_mark: usize,
}

impl<'a> Parser<'a> {
    /// Makes a parser of `text`, which begins where an item does.
    #[must_use]
    pub fn new(text: &'a [u8], dialect: Dialect) -> Self {
        let mark = memmem::Finder::new(MARK);
        Self {
            text,
            position: 0,
            lines: 0,
            line: None,
            dialect,
            next_mark: mark.find(text).unwrap_or(text.len()),
            mark,
        }
    }

    /// Returns the number of bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the number of lines read so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns the next item, or `None` at the end of the text.
    pub fn next_item(&mut self) -> Option<Item<'a>> {
        let line = self.peek()?;
        if self.has_mark(line) && MappingLine::is_mapping_line(line, self.dialect) {
            return Some(Item::Mapping(self.advance(line)));
        }
        let times = decimal(line);
        if times.is_some() {
            self.advance(line);
        }
        Some(Item::Sample {
            times: times.unwrap_or(1),
        })
    }

    /// Returns the line of branch entries of a sample, or `None` if the text ends before it.
    pub fn branches(&mut self) -> Option<Line<'a>> {
        let line = self.peek()?;
        Some(self.advance(line))
    }

    /// Calls `visit` with the frames of a call stack, the innermost first, until it returns false. Then skips the
    /// rest of the frames.
    pub fn call_stack(&mut self, mut visit: impl FnMut(u64) -> bool) -> CallStack<'a> {
        let mut is_wanted = true;
        while let Some(line) = self.peek() {
            if line.starts_with(BRANCHES_AFTER_FRAMES) {
                return CallStack::Branches(self.advance(line));
            }
            self.advance(line);
            if is_wanted {
                let Some(frame) = hex(trim_start(line)) else {
                    return CallStack::Rejected(self.skip_branches());
                };
                is_wanted = visit(frame);
            }
        }
        CallStack::Cut
    }

    fn skip_branches(&mut self) -> Option<Line<'a>> {
        let line = self.peek().filter(|line| line.starts_with(BRANCHES_AFTER_FRAMES))?;
        Some(self.advance(line))
    }

    /// Returns the next line without reading past it.
    #[inline]
    fn peek(&mut self) -> Option<&'a [u8]> {
        if self.line.is_none() && self.position < self.text.len() {
            let rest = &self.text[self.position..];
            self.line = Some(memchr(b'\n', rest).map_or(rest, |end| &rest[..end]));
        }
        self.line
    }

    /// Reads past the line that `peek` returned.
    #[inline]
    fn advance(&mut self, text: &'a [u8]) -> Line<'a> {
        let line = Line {
            text,
            index: self.lines,
        };
        self.line = None;
        self.position = (self.position + text.len() + 1).min(self.text.len());
        self.lines += 1;
        line
    }

    /// Returns true if the next line, `line`, has the mark of lines about mappings. The text is searched only once.
    #[inline]
    fn has_mark(&mut self, line: &[u8]) -> bool {
        if self.next_mark < self.position {
            let rest = &self.text[self.position..];
            self.next_mark = self.mark.find(rest).map_or(self.text.len(), |at| self.position + at);
        }
        self.next_mark < self.position + line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = "PERF_RECORD_MMAP2 1/1: [0x1000(0x1000) @ 0 08:01 7 0]: r-xp /bin/app";

    #[test]
    fn samples_of_branches() {
        let text = format!("3\n4f 0x1/0x2\n{MAPPING}\n\n7\n8\n# x\n5");
        let mut parser = Parser::new(text.as_bytes(), Dialect::Address);
        let mut found = Vec::new();
        while let Some(item) = parser.next_item() {
            found.push(match item {
                Item::Mapping(line) => format!("{} mapping", line.index),
                Item::Sample { times } => match parser.branches() {
                    Some(line) => format!("{} {times} {}", line.index, String::from_utf8_lossy(line.text)),
                    None => format!("{times} cut"),
                },
            });
        }
        assert_eq!(
            found,
            ["1 3 4f 0x1/0x2", "2 mapping", "3 1 ", "5 7 8", "6 1 # x", "5 cut"]
        );
        assert_eq!(parser.lines(), 8);
    }

    #[test]
    fn samples_of_call_stacks() {
        let text = format!(
            "\n\t 4f\n 50\n 0x1/0x2\n9\n 4f\n51\nnoise\n 0x3/0x4\n{MAPPING}\n4f\n{MAPPING}\n 0x5/0x6\n# c\n 0x7/0x8\n4f"
        );
        let mut parser = Parser::new(text.as_bytes(), Dialect::Address);
        let mut found = Vec::new();
        while let Some(item) = parser.next_item() {
            found.push(match item {
                Item::Mapping(line) => format!("{} mapping", line.index),
                Item::Sample { times } => {
                    let mut frames = Vec::new();
                    let end = parser.call_stack(|frame| {
                        frames.push(frame);
                        frames.len() < 2
                    });
                    match end {
                        CallStack::Branches(line) => format!("{times} {frames:x?} line {}", line.index),
                        CallStack::Rejected(Some(line)) => format!("{times} rejected with line {}", line.index),
                        CallStack::Rejected(None) => format!("{times} rejected"),
                        CallStack::Cut => format!("{times} {frames:x?} cut"),
                    }
                }
            });
        }
        // The caller asks for only two frames, so the noise after the second frame is skipped.
        assert_eq!(
            found,
            [
                "1 rejected",
                "1 [4f, 50] line 3",
                "9 [4f, 51] line 8",
                "9 mapping",
                "1 rejected with line 12",
                "1 rejected with line 14",
                "1 [4f] cut"
            ]
        );
    }
}

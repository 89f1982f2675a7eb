//! Whether a text has call stacks.

use crate::branches::{BranchLine, Dialect};
use crate::chars::trim_start;
use crate::number::{decimal, hex};

/// What the samples of a text consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// A line of branch entries each.
    Branches,
    /// Lines of call frames, then a line of branch entries.
    CallStacks,
}

/// How a line of branch entries behind a call stack starts.
pub(crate) const BRANCHES_AFTER_FRAMES: &[u8] = b" 0x";

impl SampleKind {
    /// Whether an item ends with `line`, whatever comes before and after it.
    pub(crate) fn ends_item(self, line: &[u8]) -> bool {
        match self {
            // A number may belong to the sample behind it.
            Self::Branches => decimal(line).is_none(),
            Self::CallStacks => line.starts_with(BRANCHES_AFTER_FRAMES),
        }
    }

    /// Whether an item begins behind `before`, which begins with one: where a line about a mapping counts.
    pub(crate) fn begins_item(self, before: &[u8]) -> bool {
        let mut lines = before
            .strip_suffix(b"\n")
            .unwrap_or(before)
            .rsplit(|&byte| byte == b'\n');
        match self {
            // Of numbers in a row, every second is the sample that the one before it counts.
            Self::Branches => lines.take_while(|line| decimal(line).is_some()).count() % 2 == 0,
            // A frame, or a number that counts the sample behind it.
            Self::CallStacks => lines
                .next()
                .is_none_or(|line| hex(trim_start(line)).is_none() && decimal(line).is_none()),
        }
    }
}

/// What samples consist of, by the first line of branch entries; `None` if `text`, whole lines, has none.
///
/// The answer is that of llvm-profgen, which looks at what stands before that line: call frames are lines of a hexadecimal number. With
/// [`Dialect::Anything`] the entries must also stand where perf puts them behind a call stack.
#[must_use]
pub fn detect(text: &[u8], dialect: Dialect) -> Option<SampleKind> {
    let mut lines = text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n');
    let mut line = lines.next()?;
    loop {
        if decimal(line).is_some() {
            line = lines.next()?;
        }
        let mut kind = SampleKind::Branches;
        while hex(trim_start(line)).is_some() {
            kind = SampleKind::CallStacks;
            line = lines.next()?;
        }
        if BranchLine::is_recognised(line, dialect) {
            // perf prints the source line (`-F ip,brstack,srcline`) on a line of its own behind the address, in front of the entries.
            let stands_alone = dialect == Dialect::Anything && !line.starts_with(BRANCHES_AFTER_FRAMES);
            return Some(if stands_alone { SampleKind::Branches } else { kind });
        }
        line = lines.next()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_branch_entries_decide() {
        let branches = " 4f 0x1/0x2/P/-/-/0 \n";
        for (before, kind) in [
            ("", SampleKind::Branches),
            ("PERF_RECORD_MMAP2 1/1: ...\n\n", SampleKind::Branches),
            ("17\n", SampleKind::Branches),
            (" 17\n", SampleKind::CallStacks),
            ("17\n18\n", SampleKind::CallStacks),
            ("\t  4005dc\n 400634\r\n", SampleKind::Branches),
            ("\t  4005dc\n 400634\n", SampleKind::CallStacks),
            ("4005dc\n# 1\n", SampleKind::Branches),
        ] {
            assert_eq!(
                detect(format!("{before}{branches}").as_bytes(), Dialect::Address),
                Some(kind),
                "{before:?}"
            );
        }
        let source_line = "\t  4005dc\n  main.c:7 0x1/0x2/P/-/-/0\n";
        assert_eq!(
            detect(source_line.as_bytes(), Dialect::Anything),
            Some(SampleKind::Branches)
        );
        assert_eq!(
            detect(source_line.as_bytes(), Dialect::Address),
            Some(SampleKind::CallStacks)
        );
        assert_eq!(detect(b"", Dialect::Anything), None);
        assert_eq!(detect(b"4005dc\n4005dc", Dialect::Anything), None);
        assert_eq!(detect(b"\n\n \n", Dialect::Anything), None);
    }
}

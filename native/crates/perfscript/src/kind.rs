//! Tells texts with call stacks from texts without.

use crate::branches::{BranchLine, Dialect};
use crate::chars::trim_start;
use crate::number::{decimal, hex};

/// The lines that a sample of a text consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleKind {
    /// One line of branch entries.
    Branches,
    /// Lines of call frames, then one line of branch entries.
    CallStacks,
}

/// Start of a line of branch entries that stands after a call stack.
pub(crate) const BRANCHES_AFTER_FRAMES: &[u8] = b" 0x";

impl SampleKind {
    /// Returns true if an item ends with `line`, whatever lines come before and after.
    pub(crate) fn ends_item(self, line: &[u8]) -> bool {
        match self {
            // A line that is a number may belong to the sample after it.
            Self::Branches => decimal(line).is_none(),
            Self::CallStacks => line.starts_with(BRANCHES_AFTER_FRAMES),
        }
    }

    /// Returns true if an item begins after the text `before`, which begins with an item. Only there does a line
    /// about a mapping count.
    pub(crate) fn begins_item(self, before: &[u8]) -> bool {
        let mut lines = before
            .strip_suffix(b"\n")
            .unwrap_or(before)
            .rsplit(|&byte| byte == b'\n');
        match self {
            // In a row of numbers, every second number is itself the sample that the number before counts.
            Self::Branches => lines.take_while(|line| decimal(line).is_some()).count() % 2 == 0,
            // Such a line is a frame, or a number that counts the sample after it.
            Self::CallStacks => lines
                .next()
                .is_none_or(|line| hex(trim_start(line)).is_none() && decimal(line).is_none()),
        }
    }
}

/// Tells from the first line of branch entries what samples consist of. `text` has whole lines. Returns `None` if it
/// has no such line.
///
/// The answer is that of llvm-profgen, which looks at the lines before that line: call frames are lines of one
/// hexadecimal number. With [`Dialect::Anything`], the branch entries must also stand where perf puts them after a
/// call stack.
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
        if BranchLine::looks_like_branches(line, dialect) {
            // perf prints the source line (`-F ip,brstack,srcline`) on a line of its own, between the address and the
            // branch entries.
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

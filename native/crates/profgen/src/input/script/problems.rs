//! The lines of a text that were not understood, in their order.

use job::{Diagnostic, DiagnosticCode, count_of, form};

use crate::request::policy::Policy;
use crate::request::words::Words;

/// Most bytes of lines that are repeated, whatever is wrong with the lines.
const MAX_TOLD_BYTES: usize = 1 << 20;

/// The same limit in llvm-profgen's mode. llvm-profgen itself repeats all lines.
const MAX_TOLD_BYTES_COMPATIBLY: usize = 64 << 20;

/// Most bytes of one line that are repeated.
const MAX_REPEATED_BYTES: usize = 8 << 10;

/// Number of bytes that a message about a line takes besides the line's text.
const BYTES_A_LINE: usize = 64;

/// A problem of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A word among the branch entries is not a branch entry.
    InvalidAddress,
    /// A mapping is not in the form that perf writes.
    InvalidMapping,
    /// Events were selected, and the line names no event.
    NoEvent,
    /// The line names an event, which llvm-profgen does not expect unless events were selected.
    UnexpectedEvent,
    /// The line is the first sample that counts, and no mapping of the binary came before it.
    NotMapped,
    /// The line is too long.
    TooLong,
    /// The text ends where a line of branch entries should be.
    Cut,
}

/// The problems of lines.
#[derive(Debug)]
pub(crate) struct Problems {
    /// Line number from 0, problem and text, in ascending order of the lines.
    reported: Vec<(u64, Problem, String)>,
    /// Number of bytes that may still be repeated.
    left: usize,
    /// Number of further problems.
    untold: u64,
}

impl Problems {
    /// Makes an empty list.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            reported: Vec::new(),
            left: if policy.words == Words::Own {
                MAX_TOLD_BYTES
            } else {
                MAX_TOLD_BYTES_COMPATIBLY
            },
            untold: 0,
        }
    }

    /// Adds a problem of a line, which comes after the lines that were added before.
    pub(crate) fn add(&mut self, problem: Problem, index: u64, text: &[u8]) {
        if problem == Problem::NotMapped && self.has(problem) {
            return;
        }
        let text = &text[..text.len().min(MAX_REPEATED_BYTES)];
        let takes = text.len() + BYTES_A_LINE;
        if takes > self.left && problem != Problem::NotMapped {
            self.left = 0;
            self.untold += 1;
            return;
        }
        self.left = self.left.saturating_sub(takes);
        let text = String::from_utf8_lossy(text).into_owned();
        self.reported.push((index, problem, text));
    }

    /// Adds the problems of a text that comes after `lines` other lines.
    pub(crate) fn append(&mut self, other: Self, lines: u64) {
        self.untold += other.untold;
        for (index, problem, text) in other.reported {
            self.add(problem, lines + index, text.as_bytes());
        }
    }

    /// Returns true if a line has this problem.
    pub(crate) fn has(&self, problem: Problem) -> bool {
        self.reported.iter().any(|(_, reported, _)| *reported == problem)
    }

    /// Returns true if a part of the text was not understood.
    pub(crate) fn is_damage(&self) -> bool {
        let harmless = |problem| {
            matches!(
                problem,
                Problem::NotMapped | Problem::NoEvent | Problem::UnexpectedEvent
            )
        };
        self.reported.iter().any(|(_, problem, _)| !harmless(*problem))
    }

    /// Returns the warnings. `not_mapped` is the warning about the binary.
    pub(crate) fn into_diagnostics(self, not_mapped: &str, words: Words) -> Vec<Diagnostic> {
        let warning = |(index, problem, text): (u64, Problem, String)| {
            let line = index + 1;
            match problem {
                Problem::InvalidAddress => words.warning(
                    DiagnosticCode::LineInvalid,
                    || format!("line {line} begins with branch entries, but part of it is not a branch entry: {text}"),
                    || format!("Invalid address in LBR record at line {line}: {text}"),
                ),
                Problem::InvalidMapping => words.warning(
                    DiagnosticCode::MappingInvalid,
                    || format!("line {line} is not a mapping as perf prints it: {text}"),
                    || format!("Cannot parse mmap event: {text} "),
                ),
                Problem::NoEvent => words.warning(
                    DiagnosticCode::EventMissing,
                    || format!("samples of one event are selected, and line {line} does not name the event of its sample: {text}"),
                    || format!("A --perf-event filter was specified, but no \"event\" field found in line {line}: {text}"),
                ),
                Problem::UnexpectedEvent => words.warning(
                    DiagnosticCode::EventUnexpected,
                    || format!("line {line} names the event of its sample, and no event was asked for: {text}"),
                    || {
                        format!(
                            "No --perf-event filter was specified, but an \"event\" field was found in line {line}: {text}"
                        )
                    },
                ),
                Problem::NotMapped => Diagnostic::warning(DiagnosticCode::NotMapped, not_mapped),
                Problem::TooLong => Diagnostic::warning(
                    DiagnosticCode::LineTooLong,
                    format!("line {line} is too long and was passed over"),
                ),
                Problem::Cut => Diagnostic::warning(
                    DiagnosticCode::InputDamaged,
                    format!("the text ends at line {line} in the middle of a sample"),
                ),
            }
        };
        let mut found: Vec<_> = self.reported.into_iter().map(warning).collect();
        if self.untold > 0 {
            let untold = self.untold;
            let message = count_of(untold, "further line") + form(untold, " was", " were") + " not understood";
            found.push(Diagnostic::warning(DiagnosticCode::LinesInvalid, message));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::policy::Policy;

    #[test]
    fn lines_count_through_all_blocks() {
        let mut all = Problems::new(Policy::OWN);
        for lines in [0, 10] {
            let mut block = Problems::new(Policy::OWN);
            block.add(Problem::NotMapped, 1, b"");
            block.add(Problem::InvalidAddress, 2, b"// text");
            block.add(Problem::NotMapped, 3, b"");
            all.append(block, lines);
        }
        let messages: Vec<_> = all
            .into_diagnostics("not mapped", Words::Own)
            .into_iter()
            .map(|found| found.message)
            .collect();
        assert_eq!(
            messages,
            [
                "not mapped",
                "line 3 begins with branch entries, but part of it is not a branch entry: // text",
                "line 13 begins with branch entries, but part of it is not a branch entry: // text"
            ]
        );
    }

    #[test]
    fn no_end_of_lines_is_told_of() {
        let mut problems = Problems::new(Policy::OWN);
        for index in 0..5000 {
            problems.add(Problem::InvalidAddress, index, &[b'x'; 100_000]);
        }
        assert!(problems.is_damage());
        let found = problems.into_diagnostics("", Words::Own);
        let most = MAX_TOLD_BYTES / (MAX_REPEATED_BYTES + BYTES_A_LINE);
        assert_eq!(found.len(), most + 1);
        assert!(
            found[most]
                .message
                .starts_with(&format!("{} further lines", 5000 - most))
        );
        assert!(found.iter().map(|found| found.message.len()).sum::<usize>() < MAX_TOLD_BYTES + (most + 1) * 100);
    }
}

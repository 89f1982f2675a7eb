//! Recognises texts that have offsets in files instead of addresses: all of these are below the lowest code
//! that the text maps.

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};

use crate::input::script::other_forms::HOW_TO_PRINT;

/// Numbers of samples with offsets and without.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offsets {
    /// Number of samples with a branch stack.
    pub stacks: u64,
    /// Number of these samples all of whose entries are below all code.
    pub low_stacks: u64,
    /// Number of samples with a call stack whose branch stack belongs to a target.
    pub chains: u64,
    /// Number of these samples with a frame below all code.
    pub low_chains: u64,
}

impl Offsets {
    /// Adds the numbers of another worker.
    pub(super) fn add(&mut self, other: Self) {
        self.stacks += other.stacks;
        self.low_stacks += other.low_stacks;
        self.chains += other.chains;
        self.low_chains += other.low_chains;
    }

    /// Returns the reason why the texts have no branch of a target, if most of their entries are offsets.
    pub(super) fn of_branches(&self) -> Option<Error> {
        if self.low_stacks <= self.stacks / 2 {
            return None;
        }
        let message = format!(
            "{} of the {} branch stacks have only addresses below all code that the text says is mapped; they are probably offsets in files, \
             which `perf script -F brstackoff` prints",
            self.low_stacks, self.stacks
        );
        Some(Error::new(ErrorCode::InputInvalid, message).hint(format!("{HOW_TO_PRINT}.")))
    }

    /// Returns the warning that call stacks are of no use, because most of them have offsets.
    pub(super) fn of_frames(&self) -> Option<Diagnostic> {
        (self.low_chains > self.chains / 2).then(|| {
            let message = format!(
                "{} of the {} call stacks have addresses below all code that the text says is mapped; they are probably offsets in files, which \
                 perf 5.9 to 6.3 prints for call chains. Such text gives no calling contexts: give the recording itself with {{--perfdata}}, or \
                 print the text with another version of perf",
                self.low_chains, self.chains
            );
            Diagnostic::warning(DiagnosticCode::CallStacks, message)
        })
    }
}

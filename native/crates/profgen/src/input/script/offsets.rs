//! Recognises texts that have offsets in files in place of addresses: all of them are below the lowest code that the text says is mapped.

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};

use crate::input::script::other_forms::HOW_TO_PRINT;

/// How many samples have such numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offsets {
    /// Samples with a branch stack.
    pub stacks: u64,
    /// Those of which all entries are below all code.
    pub low_stacks: u64,
    /// Samples with a call stack whose branch stack is of a target.
    pub chains: u64,
    /// Those with a frame below all code.
    pub low_chains: u64,
}

impl Offsets {
    /// Adds what another thread has counted.
    pub(super) fn add(&mut self, other: Self) {
        self.stacks += other.stacks;
        self.low_stacks += other.low_stacks;
        self.chains += other.chains;
        self.low_chains += other.low_chains;
    }

    /// Why the texts have no branch of a target, if most of their entries are offsets.
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

    /// The warning that call stacks are of no use, because most have offsets.
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

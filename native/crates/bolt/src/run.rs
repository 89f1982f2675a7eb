//! Straight-line ranges of execution.

use elf::Svma;

/// The branch that led to a straight-line range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// The branch is not known.
    Unknown,
    /// A branch from another file.
    Elsewhere,
    /// The branch at this address.
    Branch(Svma),
}

/// A straight-line range of execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The branch that led to the range.
    pub before: Before,
    /// Address of the first instruction.
    pub from: Svma,
    /// Address of the last instruction.
    pub through: Svma,
}

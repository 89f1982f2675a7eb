//! Straight execution, as a recording tells of it.

use elf::Svma;

/// What was executed before a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// It is not known.
    Unknown,
    /// A branch from another file.
    Elsewhere,
    /// The branch at this address.
    Branch(Svma),
}

/// Straight execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// What led to it.
    pub before: Before,
    /// The first instruction.
    pub from: Svma,
    /// The last instruction.
    pub through: Svma,
}

//! Ranges and branches, and how often they were executed.

use elf::Svma;

/// Stands for every address that is not code of the binary (llvm-profgen's external address).
pub const EXTERNAL: Svma = Svma(1);

/// A range or branch, and how often it was executed. For a range, `second` is the last instruction, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter {
    /// Start of the range, or source of the branch.
    pub first: Svma,
    /// Last instruction of the range, or target of the branch.
    pub second: Svma,
    /// Executions.
    pub count: u64,
}

/// Ranges and branches of one context, in no particular order; what occurs more than once adds up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Straight-line ranges, last instruction inclusive.
    pub ranges: Vec<Counter>,
    /// Taken branches; the source may be [`EXTERNAL`].
    pub branches: Vec<Counter>,
}

impl Counted {
    pub(crate) fn add(&mut self, other: &Self) {
        self.ranges.extend_from_slice(&other.ranges);
        self.branches.extend_from_slice(&other.branches);
    }
}

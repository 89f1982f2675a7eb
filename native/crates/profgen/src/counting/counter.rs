//! Ranges and branches, and the number of their executions.

use elf::Svma;

/// Stands for every address that is not in the code of the binary (llvm-profgen's external address).
pub const EXTERNAL: Svma = Svma(1);

/// A range or a branch, and the number of its executions. For a range, `second` is the address of the last
/// instruction, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter {
    /// Address of the first instruction of the range, or of the source of the branch.
    pub first: Svma,
    /// Address of the last instruction of the range, or of the target of the branch.
    pub second: Svma,
    /// Number of executions.
    pub count: u64,
}

/// Ranges and branches of one context, in no particular order. The counts of a range or branch that occurs
/// more than once add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// Straight-line ranges, last instruction inclusive.
    pub ranges: Vec<Counter>,
    /// Taken branches. The source may be [`EXTERNAL`].
    pub branches: Vec<Counter>,
}

impl Counted {
    pub(crate) fn add(&mut self, other: &Self) {
        self.ranges.extend_from_slice(&other.ranges);
        self.branches.extend_from_slice(&other.branches);
    }
}

//! How often each straight-line range and each branch was executed.

use elf::Svma;

use crate::counting::context_counts::ContextCounts;

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

/// Counters in ascending order of (first, second), without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterTable {
    rows: Vec<Counter>,
}

impl CounterTable {
    /// Sorts `rows` and adds up the ones that speak of the same pair (modulo 2^64, as llvm-profgen does).
    #[must_use]
    pub fn new(mut rows: Vec<Counter>) -> Self {
        rows.sort_unstable();
        rows.dedup_by(|next, kept| {
            let same = next.first == kept.first && next.second == kept.second;
            if same {
                kept.count = kept.count.wrapping_add(next.count);
            }
            same
        });
        Self { rows }
    }

    /// The counters, ascending.
    #[must_use]
    pub fn rows(&self) -> &[Counter] {
        &self.rows
    }

    /// Keeps the rows that `keep` accepts.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Counter) -> bool) {
        self.rows.retain(keep);
    }
}

/// Everything that the profile of one binary is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Straight-line ranges, last instruction inclusive.
    pub ranges: CounterTable,
    /// Taken branches; the source may be [`EXTERNAL`].
    pub branches: CounterTable,
    /// The same by calling context, if that is wanted and known.
    pub contexts: Option<Box<ContextCounts>>,
}

impl Counters {
    /// True if there is nothing to make a profile from.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.rows().is_empty() && self.branches.rows().is_empty()
    }
}

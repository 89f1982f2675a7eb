//! How often each straight-line range and each branch was executed.

use crate::counting::context_counts::ContextCounts;
use crate::counting::counter::Counter;
use crate::counting::read_contexts::ReadContext;

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
    pub contexts: Option<ContextCounters>,
}

/// Counters by calling context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextCounters {
    /// From samples.
    Sampled(Box<ContextCounts>),
    /// From a file of counters.
    Read(Vec<ReadContext>),
}

impl Counters {
    /// True if there is nothing to make a profile from.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.rows().is_empty() && self.branches.rows().is_empty()
    }
}

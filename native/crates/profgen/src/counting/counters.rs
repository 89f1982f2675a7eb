//! How often each straight-line range and each branch was executed.

use rayon::prelude::*;

use crate::counting::context_counts::ContextCounts;
use crate::counting::counter::Counter;
use crate::counting::read_contexts::ReadContext;

/// With this many rows, it pays to work on several threads.
pub(crate) const MANY: usize = 1 << 14;

/// Counters in ascending order of (first, second), without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterTable {
    rows: Vec<Counter>,
}

impl CounterTable {
    /// Sorts `rows` and adds up the ones that speak of the same pair (modulo 2^64, as llvm-profgen does).
    #[must_use]
    pub fn new(mut rows: Vec<Counter>) -> Self {
        if rows.len() < MANY || rayon::current_num_threads() == 1 {
            rows.sort_unstable();
        } else {
            rows.par_sort_unstable();
        }
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

    /// Takes rows that are in order, each pair once.
    pub(crate) fn of_ascending(rows: Vec<Counter>) -> Self {
        debug_assert!(rows.is_sorted_by(|a, b| (a.first, a.second) < (b.first, b.second)));
        Self { rows }
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

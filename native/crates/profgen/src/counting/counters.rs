//! The number of executions of each straight-line range and of each branch.

use rayon::prelude::*;

use crate::counting::context_counts::ContextCounts;
use crate::counting::counter::Counter;
use crate::counting::read_contexts::ReadContext;

/// Number of rows from which on several threads pay off.
pub(crate) const MANY: usize = 1 << 14;

/// Counters in ascending order of (first, second), without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CounterTable {
    rows: Vec<Counter>,
    /// True if a sum did not fit into 64 bits.
    exceeded: bool,
}

impl CounterTable {
    /// Sorts `rows`, and adds up the rows of the same pair (modulo 2^64, as llvm-profgen does).
    #[must_use]
    pub fn new(mut rows: Vec<Counter>) -> Self {
        if rows.len() < MANY || rayon::current_num_threads() == 1 {
            rows.sort_unstable();
        } else {
            rows.par_sort_unstable();
        }
        let mut exceeded = false;
        rows.dedup_by(|next, kept| {
            let same = next.first == kept.first && next.second == kept.second;
            if same {
                let (sum, exceeds) = kept.count.overflowing_add(next.count);
                kept.count = sum;
                exceeded |= exceeds;
            }
            same
        });
        // Traces with the same branch and different runs after it have become one row, so the list may have
        // room for four times as many rows as it needs.
        rows.shrink_to_fit();
        Self { rows, exceeded }
    }

    /// Returns the counters, in ascending order.
    #[must_use]
    pub fn rows(&self) -> &[Counter] {
        &self.rows
    }

    /// Makes a table of rows that are in ascending order, each pair once.
    pub(crate) fn of_ascending(rows: Vec<Counter>) -> Self {
        debug_assert!(rows.is_sorted_by(|a, b| (a.first, a.second) < (b.first, b.second)));
        Self { rows, exceeded: false }
    }
}

/// The counters that the profile of one binary is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Straight-line ranges, last instruction inclusive.
    pub ranges: CounterTable,
    /// Taken branches. The source may be [`EXTERNAL`](crate::counting::counter::EXTERNAL).
    pub branches: CounterTable,
    /// The same counts by calling context; `None` if they are not wanted or not known.
    pub contexts: Option<ContextCounters>,
}

/// Counters by calling context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextCounters {
    /// Counters that come from samples.
    Sampled(Box<ContextCounts>),
    /// Counters that come from a file.
    Read(Vec<ReadContext>),
}

impl Counters {
    /// True if there is nothing to make a profile from.
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.rows().is_empty() && self.branches.rows().is_empty()
    }

    /// Returns true if sums of a profile may not fit into 64 bits: counts of `span` bytes of code, and
    /// totals, in which each byte counts.
    pub(crate) fn exceed(&self, span: u32) -> bool {
        const LONGEST_INSTRUCTION: u64 = 15;
        let bytes =
            |range: &Counter| range.second.0.saturating_sub(range.first.0).min(span.into()) + LONGEST_INSTRUCTION;
        let weight = |range: &Counter| u128::from(range.count) * u128::from(bytes(range));
        let total: u128 = self.ranges.rows().iter().map(weight).sum();
        self.ranges.exceeded || self.branches.exceeded || total > u64::MAX.into()
    }
}

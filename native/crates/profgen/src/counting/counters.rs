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
    /// A sum was more than 64 bits hold.
    exceeded: bool,
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
        // Traces with the same branch and different runs behind it are one row, so room for four times as many rows may be left.
        rows.shrink_to_fit();
        Self { rows, exceeded }
    }

    /// The counters, ascending.
    #[must_use]
    pub fn rows(&self) -> &[Counter] {
        &self.rows
    }

    /// Takes rows that are in order, each pair once.
    pub(crate) fn of_ascending(rows: Vec<Counter>) -> Self {
        debug_assert!(rows.is_sorted_by(|a, b| (a.first, a.second) < (b.first, b.second)));
        Self { rows, exceeded: false }
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

    /// Whether sums of a profile may be more than 64 bits hold: counts of code of `span` bytes, and totals, which count each byte.
    pub(crate) fn exceed(&self, span: u32) -> bool {
        const LONGEST_INSTRUCTION: u64 = 15;
        let bytes =
            |range: &Counter| range.second.0.saturating_sub(range.first.0).min(span.into()) + LONGEST_INSTRUCTION;
        let weight = |range: &Counter| u128::from(range.count) * u128::from(bytes(range));
        let total: u128 = self.ranges.rows().iter().map(weight).sum();
        self.ranges.exceeded || self.branches.exceeded || total > u64::MAX.into()
    }
}

//! Counts of runs and branches, each with the calls that were in progress.

use elf::Svma;

use crate::counting::call_lists::{CallLists, ListId};
use crate::counting::unwind::Doubt;

/// Lists of calls in the code of a binary.
pub(crate) type CallPaths = CallLists<Svma>;

/// A run or a branch, the calls that were in progress, and the number of executions. A run goes from its
/// first to its last instruction, a branch from its source to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextCounter {
    /// The calls in progress, as a list of [`ContextCounts::paths`].
    pub path: ListId,
    pub first: Svma,
    pub second: Svma,
    pub count: u64,
}

/// Counts of runs and branches, each with the calls that were in progress.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContextCounts {
    pub paths: CallPaths,
    /// Runs, in ascending order, each once.
    pub ranges: Vec<ContextCounter>,
    /// Branches, in ascending order, each once. The source may be
    /// [`EXTERNAL`](crate::counting::counter::EXTERNAL).
    pub branches: Vec<ContextCounter>,
    pub doubts: Doubts,
    /// True if a calling frame of some call stack lies outside of the binary's code.
    pub has_external_callers: bool,
}

/// Doubtful steps of branch stacks, in numbers of branch entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doubts {
    /// Number of all branch entries.
    pub entries: u64,
    /// Number of calls from outside of the binary for which the call chain has no frame.
    pub external_calls: u64,
    /// Number of other calls for which the call chain has no frame.
    pub calls: u64,
    /// Number of pairs of branches: out of the binary, and back into it later.
    pub paired: u64,
    /// Number of branches out of the binary that do not come back, or into it without a branch out before.
    pub unpaired: u64,
    /// Number of returns to more calls than [`MAX_CALLS`](crate::counting::unwind::MAX_CALLS).
    pub deep: u64,
}

impl Doubts {
    /// Adds `count` entries that have the same doubts.
    pub(super) fn add(&mut self, doubt: Doubt, count: u64) {
        self.entries = self.entries.wrapping_add(count);
        if doubt.is_none() {
            return;
        }
        for (kind, sum) in [
            (Doubt::EXTERNAL_CALL, &mut self.external_calls),
            (Doubt::CALL, &mut self.calls),
            (Doubt::PAIRED, &mut self.paired),
            (Doubt::UNPAIRED, &mut self.unpaired),
            (Doubt::DEEP, &mut self.deep),
        ] {
            if doubt.has(kind) {
                *sum = sum.wrapping_add(count);
            }
        }
    }
}

impl std::ops::AddAssign for Doubts {
    fn add_assign(&mut self, other: Self) {
        let add = |sum: &mut u64, more: u64| *sum = sum.wrapping_add(more);
        add(&mut self.entries, other.entries);
        add(&mut self.external_calls, other.external_calls);
        add(&mut self.calls, other.calls);
        add(&mut self.paired, other.paired);
        add(&mut self.unpaired, other.unpaired);
        add(&mut self.deep, other.deep);
    }
}

/// Sorts counters, and adds up the counters of the same run or branch (modulo 2^64, as llvm-profgen does).
pub(super) fn added_up(mut counters: Vec<ContextCounter>) -> Vec<ContextCounter> {
    counters.sort_unstable();
    counters.dedup_by(|next, kept| {
        let key = |counter: &ContextCounter| (counter.path, counter.first, counter.second);
        let same = key(next) == key(kept);
        if same {
            kept.count = kept.count.wrapping_add(next.count);
        }
        same
    });
    counters
}

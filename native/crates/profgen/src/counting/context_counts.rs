//! Counts of runs and branches by the calls that they were behind.

use elf::Svma;

use crate::counting::call_lists::{CallLists, ListId};
use crate::counting::unwind::Doubt;

/// Lists of calls in the code of a binary.
pub(crate) type CallPaths = CallLists<Svma>;

/// What happened behind which calls, and how often: a run from its first to its last instruction, or a branch from its source to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ContextCounter {
    /// In [`ContextCounts::paths`].
    pub path: ListId,
    pub first: Svma,
    pub second: Svma,
    pub count: u64,
}

/// Counts of runs and branches by the calls that they were behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContextCounts {
    pub paths: CallPaths,
    /// Ascending, each once.
    pub ranges: Vec<ContextCounter>,
    /// Ascending, each once. The source may be [`EXTERNAL`](crate::counting::counter::EXTERNAL).
    pub branches: Vec<ContextCounter>,
    pub doubts: Doubts,
    /// Whether some frame that called others is no code of the binary.
    pub has_external_callers: bool,
}

/// What is doubtful, in numbers of branch entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doubts {
    /// Branch entries in all.
    pub entries: u64,
    /// Calls from outside that no frame is of.
    pub external_calls: u64,
    /// Other calls that no frame is of.
    pub calls: u64,
    /// Ways out of the binary and back.
    pub paired: u64,
    /// Ways out of the binary, or into it, without the other.
    pub unpaired: u64,
    /// Returns to more calls than are followed.
    pub deep: u64,
}

impl Doubts {
    /// Adds so many entries that are all as doubtful.
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

/// Sorts counters, and adds up those of the same (modulo 2^64, as llvm-profgen does).
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

//! Counts of runs and branches by the calls that they were behind.

use elf::Svma;
use rustc_hash::FxHashMap;

/// A list of calls, from the outermost inwards, in [`CallPaths`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PathId(u32);

impl PathId {
    /// No call is known.
    pub(crate) const ROOT: Self = Self(0);
}

/// Distinct lists of calls, each as its last call behind another list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct CallPaths {
    /// Of each list but [`PathId::ROOT`]: the list without its last call, and that call.
    paths: Vec<(PathId, Svma)>,
    index: FxHashMap<(PathId, Svma), PathId>,
}

impl CallPaths {
    pub(super) fn behind(&mut self, path: PathId, call: Svma) -> PathId {
        let Self { paths, index } = self;
        *index.entry((path, call)).or_insert_with(|| {
            paths.push((path, call));
            PathId(u32::try_from(paths.len()).expect("fewer than 2^32 distinct calling contexts"))
        })
    }

    /// The calls, from the outermost inwards.
    pub(crate) fn calls(&self, path: PathId) -> Vec<Svma> {
        let mut calls = Vec::new();
        let mut rest = path;
        while let Some(last) = rest.0.checked_sub(1) {
            let (before, call) = self.paths[last as usize];
            calls.push(call);
            rest = before;
        }
        calls.reverse();
        calls
    }

    /// Every call of every list, in no particular order.
    pub(crate) fn all_calls(&self) -> impl Iterator<Item = Svma> {
        self.paths.iter().map(|&(_, call)| call)
    }

    /// The ids that the lists of `other` have here, by their number.
    fn merge(&mut self, other: &Self) -> Vec<PathId> {
        let mut ids = vec![PathId::ROOT];
        for &(before, call) in &other.paths {
            let before = ids[before.0 as usize];
            ids.push(self.behind(before, call));
        }
        ids
    }
}

/// What happened behind which calls: a run from its first to its last instruction, or a branch from its source to its target.
pub(crate) type ContextCounter = FxHashMap<(PathId, Svma, Svma), u64>;

/// Counts of runs and branches by the calls that they were behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ContextCounts {
    pub paths: CallPaths,
    pub ranges: ContextCounter,
    /// The source may be [`EXTERNAL`].
    pub branches: ContextCounter,
    /// What is doubtful of each distinct sample, by a hash of it. llvm-profgen states shares of them.
    pub doubts: FxHashMap<u64, Doubts>,
    /// Whether some frame that called others is no code of the binary.
    pub has_external_callers: bool,
}

/// What is doubtful of a sample, in numbers of its branch entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Doubts {
    /// Branch entries in all.
    pub entries: u32,
    /// Calls from outside that no frame is of.
    pub external_calls: u32,
    /// Other calls that no frame is of.
    pub calls: u32,
    /// Ways out of the binary and back.
    pub paired: u32,
    /// Ways out of the binary, or into it, without the other.
    pub unpaired: u32,
}

impl ContextCounts {
    /// Adds what another thread has counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        let ids = self.paths.merge(&other.paths);
        for (from, into) in [(&other.ranges, &mut self.ranges), (&other.branches, &mut self.branches)] {
            for (&(path, first, second), count) in from {
                add(into, (ids[path.0 as usize], first, second), *count);
            }
        }
        self.doubts.extend(&other.doubts);
        self.has_external_callers |= other.has_external_callers;
    }
}

pub(super) fn add(counter: &mut ContextCounter, key: (PathId, Svma, Svma), count: u64) {
    let sum = counter.entry(key).or_default();
    *sum = sum.wrapping_add(count);
}

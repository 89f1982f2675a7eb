//! Counts of runs and branches by the calls in progress: llvm-profgen's counters for profiles by probes.

use elf::Svma;
use rustc_hash::FxHashMap;

use crate::attribution::recursion::Shortening;
use crate::counting::context_counts::ContextCounts;
use crate::counting::counter::{Counted, Counter};
use crate::counting::read_contexts::{Context, ReadContext};

/// Counts by calls, the outermost first, in ascending order.
pub(crate) type CallContexts = Vec<(Vec<Svma>, Counted)>;

/// Groups the counts by calls. Calls are shortened without regard to the functions that they are in.
pub(crate) fn by_calls(counts: &ContextCounts, shortening: Shortening) -> CallContexts {
    let mut groups: FxHashMap<Vec<Svma>, Counted> = FxHashMap::default();
    for (counters, column) in [
        (
            &counts.ranges,
            (|counted| &mut counted.ranges) as fn(&mut Counted) -> &mut Vec<Counter>,
        ),
        (&counts.branches, |counted| &mut counted.branches),
    ] {
        for behind in counters.chunk_by(|one, other| one.path == other.path) {
            let mut calls = counts.paths.calls(behind[0].path);
            shortening.apply(&mut calls);
            let rows = behind.iter().map(|row| Counter {
                first: row.first,
                second: row.second,
                count: row.count,
            });
            column(groups.entry(calls).or_default()).extend(rows);
        }
    }
    sorted(groups)
}

/// Takes over counts that a file has by calls. Returns `None` if contexts are names of functions.
pub(crate) fn read(read: &[ReadContext]) -> Option<CallContexts> {
    let mut groups: FxHashMap<Vec<Svma>, Counted> = FxHashMap::default();
    for group in read {
        let Context::Calls(calls) = &group.context else {
            return None;
        };
        groups.entry(calls.clone()).or_default().add(&group.counted);
    }
    Some(sorted(groups))
}

/// Returns each context as text, such as `0x6f5 @ 0x620`, with its counts. Addresses are relative to `base`.
pub(crate) fn texts(contexts: CallContexts, base: Svma) -> Vec<(Vec<u8>, Counted)> {
    let text = |calls: Vec<Svma>| {
        let calls = calls.iter().map(|call| format!("{:#x}", call.0.wrapping_sub(base.0)));
        calls.collect::<Vec<_>>().join(" @ ").into_bytes()
    };
    contexts
        .into_iter()
        .map(|(calls, counted)| (text(calls), counted))
        .collect()
}

fn sorted(groups: FxHashMap<Vec<Svma>, Counted>) -> CallContexts {
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    groups
}

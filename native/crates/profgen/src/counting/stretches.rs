//! Where stretches of straight code end that began where a branch led to.

use elf::{Code, Svma};

use crate::counting::counter::Counter;
use crate::counting::counters::CounterTable;

/// The pairs that `starts` (first: where a stretch begins) come to: each stretch ends at the next instruction that can branch. Those that come
/// to bytes which are no instruction have no end.
pub(crate) fn pairs_of(starts: &CounterTable, code: &Code<'_>) -> Vec<Counter> {
    let mut pairs = Vec::with_capacity(starts.rows().len());
    // The last search: from where to where nothing branches. What begins within ends where that ends, so no code is searched twice.
    let mut searched: Option<(Svma, Svma, Option<Svma>)> = None;
    for start in starts.rows() {
        let at = start.first;
        let known = searched.filter(|(from, to, _)| (*from..=*to).contains(&at));
        let (from, to, end) = known.unwrap_or_else(|| {
            let (to, end) = search(code, at);
            (at, to, end)
        });
        searched = Some((from, to, end));
        pairs.extend(end.map(|end| Counter { second: end, ..*start }));
    }
    pairs
}

/// How far execution goes on from `start` without a branch, and the branch there, unless other bytes come first.
fn search(code: &Code<'_>, start: Svma) -> (Svma, Option<Svma>) {
    let mut next = start;
    for instruction in code.instructions(start, Svma(u64::MAX)) {
        if instruction.svma != next {
            break;
        }
        if code.may_transfer_at(next) {
            return (next, Some(next));
        }
        next = next.wrapping_add(u64::from(instruction.length));
    }
    (next, None)
}

//! Finds the ends of stretches of straight code that begin at the target of a branch.

use elf::{Code, Svma};

use crate::counting::counter::Counter;
use crate::counting::counters::CounterTable;

/// Returns a pair for each stretch. `starts` has the beginning of each stretch as `first`. A stretch ends at
/// the next instruction that can branch. A stretch that reaches bytes which are no instruction has no end.
pub(crate) fn pairs_of(starts: &CounterTable, code: &Code<'_>) -> Vec<Counter> {
    let mut pairs = Vec::with_capacity(starts.rows().len());
    // The last search: its start, the address up to which no instruction can branch, and the end. A stretch
    // that begins within ends at the same place, so no code is searched twice.
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

/// Returns the address up to which execution goes on from `start` without a branch, and the address of the
/// branch there; `None` in its place if bytes that are no instruction come first.
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

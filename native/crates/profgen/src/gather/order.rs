//! Sorts rows of branch stacks.

use std::cmp::Ordering;

use rayon::prelude::*;

use crate::gather::chain::Tails;
use crate::gather::row_groups::Names;
use crate::gather::rows::{CountedRow, EventId, add_up_neighbours};

/// Sorts rows by file, event and addresses, and adds up equal rows. The order depends on names and
/// addresses only, and not on the numbers that stand for them.
pub(crate) fn sort(rows: &mut Vec<CountedRow>, tails: &Tails, names: &Names<'_>) {
    // While the rows are sorted, the numbers of files, events and places are in the order of what they stand for.
    let (files, events) = (ranks(names.files.all()), ranks(names.events));
    let places = tails.places.order();
    rows.par_iter_mut().for_each(|CountedRow { key, .. }| {
        key.file = files[key.file as usize];
        key.event = events[usize::from(key.event)] as EventId;
        for place in [&mut key.from, &mut key.to, &mut key.stack_end] {
            *place = places.rank(*place);
        }
    });
    rows.par_sort_unstable_by(|a, b| branch(a).cmp(&branch(b)).then_with(|| order_of_runs(a, b, tails)));
    let (files, events) = (inverse(&files), inverse(&events));
    rows.par_iter_mut().for_each(|CountedRow { key, .. }| {
        key.file = files[key.file as usize];
        key.event = events[usize::from(key.event)] as EventId;
        for place in [&mut key.from, &mut key.to, &mut key.stack_end] {
            *place = places.place(*place);
        }
    });
    // Different tails and places have different numbers, so equal rows are neighbours.
    add_up_neighbours(rows);
}

/// Returns the file, the event and the branch of a row as one number. One comparison of large numbers takes less
/// time than many of small numbers.
#[inline]
fn branch(CountedRow { key, .. }: &CountedRow) -> u128 {
    let whose = u64::from(key.file) << 16 | u64::from(key.event);
    let ends = u64::from(key.from.bits()) << 32 | u64::from(key.to.bits());
    u128::from(whose) << 64 | u128::from(ends)
}

/// Orders rows of one branch. It is a call, so that the comparison of other rows stays short.
#[inline(never)]
fn order_of_runs(
    CountedRow { key: a, .. }: &CountedRow,
    CountedRow { key: b, .. }: &CountedRow,
    tails: &Tails,
) -> Ordering {
    let tails = tails.order(a.tail, b.tail);
    tails
        .then_with(|| a.stack_end.bits().cmp(&b.stack_end.bits()))
        .then_with(|| a.crosses_kernel.cmp(&b.crosses_kernel))
}

/// Returns for each element the number of elements that come before it in sorted order.
pub(crate) fn ranks<T: Ord>(of: &[T]) -> Vec<u32> {
    let mut sorted: Vec<usize> = (0..of.len()).collect();
    sorted.sort_by_key(|index| &of[*index]);
    let mut ranks = vec![0; of.len()];
    for (rank, index) in (0..).zip(sorted) {
        ranks[index] = rank;
    }
    ranks
}

/// Returns for each number of [`ranks`] the element that has it.
fn inverse(ranks: &[u32]) -> Vec<u32> {
    let mut elements = vec![0; ranks.len()];
    for (element, rank) in (0..).zip(ranks) {
        elements[*rank as usize] = element;
    }
    elements
}

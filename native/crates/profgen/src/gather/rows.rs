//! Rows of branches, and how often each was met.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use traceshard::{BinaryKind, Ends, Loss};

use crate::gather::chain::{TailId, Tails, is_long};
use crate::gather::files::FileId;

/// The number of an event, with the machine that it was recorded on.
pub(crate) type EventId = u16;

/// The number of a row.
pub(crate) type RowId = u32;

/// A branch of a file, and what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub file: FileId,
    pub event: EventId,
    /// One end is in the kernel, and the other is not.
    pub crosses_kernel: bool,
    pub tail: TailId,
    /// Source and destination, in the file.
    pub ends: Ends,
    /// Where the run ended if the next newer entry of the whole stack ended it.
    pub stack_end: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub count: u64,
    pub mispredicted: u64,
}

/// Rows, each with a number.
#[derive(Default)]
pub(crate) struct Rows {
    known: Vec<(Key, Counts)>,
    /// By number: what is behind a branch whose run ends at that of the row, once that was asked for.
    ends: Vec<Option<TailId>>,
    numbers: HashTable<RowId>,
    tails: Tails,
}

impl Rows {
    /// The number of a row, which is made if there is none.
    pub(crate) fn number(&mut self, key: Key) -> RowId {
        let Self { known, numbers, .. } = self;
        let hash = |key: &Key| FxBuildHasher.hash_one(key);
        let is_same = |&number: &RowId| known[number as usize].0 == key;
        match numbers.entry(hash(&key), is_same, |&number| hash(&known[number as usize].0)) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(place) => {
                let number =
                    RowId::try_from(known.len()).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
                place.insert(number);
                known.push((key, Counts::default()));
                self.ends.push(None);
                number
            }
        }
    }

    /// What is behind a branch, if the next newer one in the file is that of a row, and whether the run is so long that it ends there wherever
    /// that goes.
    pub(crate) fn behind(&mut self, kind: BinaryKind, own: Ends, newer: RowId) -> (TailId, bool) {
        let Key { ends, tail, .. } = self.known[newer as usize].0;
        let Self { tails, ends: known, .. } = self;
        let tail = tails.behind(kind, own, ends, tail);
        let tail = tail.unwrap_or_else(|| *known[newer as usize].get_or_insert_with(|| tails.ending_at(ends)));
        (tail, is_long(own, ends))
    }

    /// Whether the branch of a row may be none of the binary's.
    pub(crate) fn is_doubtful(&self, kind: BinaryKind, number: RowId) -> bool {
        let Key { ends, tail, .. } = self.known[number as usize].0;
        self.tails.is_doubtful(kind, ends, tail)
    }

    pub(crate) fn add(&mut self, number: RowId, counts: Counts) {
        let sum = &mut self.known[number as usize].1;
        sum.count += counts.count;
        sum.mispredicted += counts.mispredicted;
    }

    /// How many rows there are at least, and how many things that rows are made of.
    pub(crate) fn len(&self) -> usize {
        self.known.len().max(self.tails.len())
    }

    /// Adds other rows.
    pub(crate) fn take(&mut self, other: Self) {
        let numbers = self.tails.adopt(&other.tails);
        for (key, counts) in other.known {
            let tail = numbers[key.tail as usize];
            let number = self.number(Key { tail, ..key });
            self.add(number, counts);
        }
    }

    /// All rows, in no particular order, and what is behind them.
    pub(crate) fn into_parts(self) -> (Vec<(Key, Counts)>, Tails) {
        (self.known, self.tails)
    }
}

/// How often each thing of the ledger was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; Loss::ALL.len()]);

impl Tally {
    pub(crate) fn add(&mut self, what: Loss, count: u64) {
        let sum = &mut self.0[what as usize];
        *sum = sum.saturating_add(count);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (what, count) in other.counts() {
            self.add(what, count);
        }
    }

    /// What was met at all.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Loss, u64)> {
        Loss::ALL
            .into_iter()
            .map(|what| (what, self.0[what as usize]))
            .filter(|(_, count)| *count > 0)
    }
}

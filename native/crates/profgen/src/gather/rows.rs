//! Rows of branches, and how often each was met.

use std::cmp::Ordering;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use traceshard::Loss;

use crate::gather::chain::{TailId, Tails};
use crate::gather::files::FileId;

/// The number of an event, with the machine that it was recorded on.
pub(crate) type EventId = u16;

/// Where a row stands until the rows are brought together.
pub(crate) type RowId = u32;

/// An address in a file, or none, in the bytes of a number: addresses are less than 2^63. None comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) fn new(address: Option<u64>) -> Self {
        Self(address.map_or(0, |address| address + 1))
    }

    pub(crate) fn address(self) -> Option<u64> {
        self.0.checked_sub(1)
    }
}

/// A branch of a file, and what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub file: FileId,
    pub event: EventId,
    /// Source and destination, in the file.
    pub from: Place,
    pub to: Place,
    pub tail: TailId,
    /// Where the run ended if the next newer entry of the whole stack ended it.
    pub stack_end: Place,
    /// One end is in the kernel, and the other is not.
    pub crosses_kernel: bool,
}

impl Key {
    /// Bits that depend on all of the key, the lowest and the highest ones, too.
    #[inline]
    fn hash(&self) -> u64 {
        let small = u64::from(self.file) << 32 | u64::from(self.tail.bits());
        let rest = u64::from(self.event) << 1 | u64::from(self.crosses_kernel);
        let mixed = self.from.0 ^ self.to.0.rotate_left(32) ^ (rest << 48);
        let (mixed, other) = (mixed ^ 0x9e37_79b9_7f4a_7c15, self.stack_end.0.rotate_left(16) ^ small);
        let product = u128::from(mixed) * u128::from(other ^ 0xd1b5_4a32_d192_ed03);
        (product as u64 ^ (product >> 64) as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(32)
    }

    /// By file, event and address first. Few comparisons of large numbers take less than many of small ones.
    #[inline]
    fn order(&self, other: &Self) -> Ordering {
        let whose = |key: &Self| u64::from(key.file) << 16 | u64::from(key.event);
        let begin = |key: &Self| u128::from(whose(key)) << 64 | u128::from(key.from.0);
        let rest = |key: &Self| u128::from(key.to.0) << 64 | u128::from(key.tail.bits());
        let for_bolt = |key: &Self| (key.stack_end, key.crosses_kernel);
        begin(self)
            .cmp(&begin(other))
            .then_with(|| rest(self).cmp(&rest(other)))
            .then_with(|| for_bolt(self).cmp(&for_bolt(other)))
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub count: u64,
    pub mispredicted: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.count += other.count;
        self.mispredicted += other.mispredicted;
    }
}

/// A row, in less than a line of the processor's cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedRow {
    pub key: Key,
    pub counts: Counts,
}

const _: () = assert!(size_of::<CountedRow>() <= 56);

/// So many rows are found in a table, which is in the second-level cache of a core then.
const FEW_ROWS: usize = 1 << 14;

/// So many rows that are in no table are brought together at least.
const MANY_ROWS: usize = 1 << 16;

/// Number of counts that wait until they are added together.
const MOST_WAITING: usize = 256;

/// Rows in the order that they were met. If there are few, each is there once. If there are many, some are there more than once: it takes less
/// to sort them now and then, and to make one row of those that are equal, than to find each of them.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<CountedRow>,
    /// Counts that are not yet added to their rows.
    waiting: Vec<(RowId, Counts)>,
    /// Where each row is, while there are few.
    table: Option<HashTable<RowId>>,
    /// With more rows than these, they should be brought together.
    room: usize,
    pub tails: Tails,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            waiting: Vec::new(),
            table: Some(HashTable::new()),
            room: MANY_ROWS,
            tails: Tails::default(),
        }
    }
}

impl Rows {
    /// Where a row is, which is made if there is none, or if there are many.
    pub(crate) fn number(&mut self, key: Key) -> RowId {
        let Self { rows, table, .. } = self;
        let number = u32::try_from(rows.len()).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
        if rows.len() == FEW_ROWS {
            *table = None;
        }
        if let Some(table) = table {
            let is_same = |&number: &RowId| rows[number as usize].key == key;
            match table.entry(key.hash(), is_same, |&number| rows[number as usize].key.hash()) {
                Entry::Occupied(found) => return *found.get(),
                Entry::Vacant(place) => place.insert(number),
            };
        }
        let counts = Counts::default();
        rows.push(CountedRow { key, counts });
        number
    }

    pub(crate) fn add(&mut self, row: RowId, counts: Counts) {
        if self.waiting.len() == MOST_WAITING {
            self.settle();
        }
        self.waiting.push((row, counts));
    }

    /// Adds the waiting counts to their rows. No addition depends on another one, so the processor loads
    /// several rows at the same time.
    fn settle(&mut self) {
        let Self { rows, waiting, .. } = self;
        for (row, counts) in waiting.drain(..) {
            rows[row as usize].counts.add(counts);
        }
    }

    /// Whether there are so many rows that they should be brought together.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.rows.len() > self.room
    }

    /// Brings together what is the same. No row stands where it stood.
    pub(crate) fn add_up(&mut self) {
        self.table = None;
        self.settle();
        // This sort finds that most rows are sorted already.
        self.rows.sort_by(|a, b| a.key.order(&b.key));
        add_up_neighbours(&mut self.rows);
        self.room = MANY_ROWS.max(self.rows.len() + self.rows.len() / 2);
    }

    /// How many rows there are at most, and how many things that rows are made of.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().max(self.tails.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds the rows of others, which have none then.
    pub(crate) fn take(&mut self, other: &mut Self) {
        let mut other = std::mem::take(other);
        other.settle();
        if self.is_empty() {
            *self = other;
            return;
        }
        let numbers = self.tails.adopt(&other.tails);
        for row in &mut other.rows {
            row.key.tail = Tails::adopted(row.key.tail, &numbers);
        }
        self.rows.append(&mut other.rows);
    }

    /// All rows, in no particular order, some of them more than once, and what is behind them.
    pub(crate) fn into_parts(mut self) -> (Vec<CountedRow>, Tails) {
        self.settle();
        (self.rows, self.tails)
    }
}

/// Makes one row of equal ones that stand together.
pub(crate) fn add_up_neighbours(rows: &mut Vec<CountedRow>) {
    rows.dedup_by(|row, kept| {
        let is_same = row.key == kept.key;
        if is_same {
            kept.counts.add(row.counts);
        }
        is_same
    });
}

/// How often each thing of the ledger was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; Loss::ALL.len()]);

impl Tally {
    #[inline]
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

//! Rows of branches, each with its number of executions.

use std::cmp::Ordering;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use traceshard::Loss;

use crate::gather::chain::{TailId, Tails};
use crate::gather::files::FileId;

/// The number of an event on the machine that it was recorded on.
pub(crate) type EventId = u16;

/// The place of a row, until equal rows are added up.
pub(crate) type RowId = u32;

/// An address in a file, or the absence of an address, as bytes of a number. Addresses are less than 2^63.
/// The absence of an address comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) fn new(address: Option<u64>) -> Self {
        Self(address.map_or(0, |address| address + 1))
    }

    pub(crate) fn address(self) -> Option<u64> {
        self.0.checked_sub(1)
    }
}

/// A branch of a file, and the possible ends of the run behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub file: FileId,
    pub event: EventId,
    /// Addresses of the source and the destination in the file.
    pub from: Place,
    pub to: Place,
    pub tail: TailId,
    /// Address at which the run ended, if the next newer entry of the whole stack ended it.
    pub stack_end: Place,
    /// True if one end of the branch is in the kernel, and the other is not.
    pub crosses_kernel: bool,
}

impl Key {
    /// Returns a hash whose bits, the lowest and the highest included, depend on the whole key.
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

    /// Orders keys by file, event and address first. A few comparisons of large numbers take less time than
    /// many of small numbers.
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
    /// Returns the counts of something that occurred this number of times, without mispredictions.
    pub(crate) fn times(count: u64) -> Self {
        Self { count, mispredicted: 0 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.mispredicted += other.mispredicted;
    }
}

/// A row. It takes less than a line of the processor's cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedRow {
    pub key: Key,
    pub counts: Counts,
}

const _: () = assert!(size_of::<CountedRow>() <= 56);

/// Most rows that are looked up in a table. The table fits into the second-level cache of a core.
const FEW_ROWS: usize = 1 << 14;

/// Least number of rows without a table that are added up.
const MANY_ROWS: usize = 1 << 16;

/// Number of counts that wait until they are added together.
const MOST_WAITING: usize = 256;

/// Rows in the order in which they were first counted. If there are few rows, each is there once. If there
/// are many, some are there more than once: to sort them now and then, and to add up equal rows, takes less
/// time than to look up each row.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<CountedRow>,
    /// Counts that are not yet added to their rows.
    waiting: Vec<(RowId, Counts)>,
    /// Place of each row, while there are few rows.
    table: Option<HashTable<RowId>>,
    /// Number of rows at the beginning that are sorted.
    sorted: usize,
    /// Number of rows above which equal rows should be added up.
    room: usize,
    pub tails: Tails,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            waiting: Vec::new(),
            table: Some(HashTable::new()),
            sorted: 0,
            room: MANY_ROWS,
            tails: Tails::default(),
        }
    }
}

impl Rows {
    /// Returns the place of a row. Makes the row if there is none, or if there are many rows.
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

    /// Returns true if there are so many rows that equal rows should be added up.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.rows.len() > self.room
    }

    /// Adds up equal rows. Afterwards all rows have other places.
    pub(crate) fn add_up(&mut self) {
        self.table = None;
        self.settle();
        let order = |a: &CountedRow, b: &CountedRow| a.key.order(&b.key);
        self.rows[self.sorted..].sort_unstable_by(order);
        // This sort only merges the rows that were sorted before and the new ones.
        self.rows.sort_by(order);
        add_up_neighbours(&mut self.rows);
        self.sorted = self.rows.len();
        self.room = MANY_ROWS.max(self.rows.len() + self.rows.len() / 2);
    }

    /// Returns the number of rows, as an upper bound, or the number of notes about tails, whichever is
    /// greater.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().max(self.tails.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Moves the rows of `other` to these rows.
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

    /// Returns all rows, in no particular order, some of them more than once, and their tails.
    pub(crate) fn into_parts(mut self) -> (Vec<CountedRow>, Tails) {
        self.settle();
        (self.rows, self.tails)
    }
}

/// Makes one row of neighbouring rows that are equal.
pub(crate) fn add_up_neighbours(rows: &mut Vec<CountedRow>) {
    rows.dedup_by(|row, kept| {
        let is_same = row.key == kept.key;
        if is_same {
            kept.counts.add(row.counts);
        }
        is_same
    });
}

/// The numbers of the ledger, one for each [`Loss`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally([u64; Loss::ALL.len()]);

impl Tally {
    #[inline]
    pub(crate) fn add(&mut self, what: Loss, count: u64) {
        let sum = &mut self.0[what as usize];
        *sum = sum.saturating_add(count);
    }

    /// Returns one of the numbers.
    pub(crate) fn get(&self, what: Loss) -> u64 {
        self.0[what as usize]
    }

    /// Forgets sampled addresses that were read, and their losses.
    pub(crate) fn forget_addresses(&mut self) {
        for what in [
            Loss::Addresses,
            Loss::AddressesDeselected,
            Loss::AddressesOfGuests,
            Loss::AddressesUnmapped,
            Loss::AddressesInOtherMemory,
        ] {
            self.0[what as usize] = 0;
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (what, count) in other.counts() {
            self.add(what, count);
        }
    }

    /// Returns the numbers of the ledger that are above 0.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (Loss, u64)> {
        Loss::ALL
            .into_iter()
            .map(|what| (what, self.0[what as usize]))
            .filter(|(_, count)| *count > 0)
    }
}

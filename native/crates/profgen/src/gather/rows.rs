//! Rows of branches, and how often each was met.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use traceshard::{BinaryKind, Ends, Loss};

use crate::gather::chain::{TailId, Tails, is_long};
use crate::gather::files::FileId;

/// The number of an event, with the machine that it was recorded on.
pub(crate) type EventId = u16;

/// The number of a row.
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
    /// Source and destination, in the file.
    pub from: Place,
    pub to: Place,
    /// Where the run ended if the next newer entry of the whole stack ended it.
    pub stack_end: Place,
    pub file: FileId,
    pub tail: TailId,
    pub event: EventId,
    /// One end is in the kernel, and the other is not.
    pub crosses_kernel: bool,
}

impl Key {
    pub(crate) fn ends(&self) -> Ends {
        (self.from.address(), self.to.address())
    }

    /// Bits that depend on all of the key, the lowest and the highest ones, too.
    #[inline]
    fn hash(&self) -> u64 {
        let small = u64::from(self.file) << 32 | u64::from(self.tail);
        let rest = u64::from(self.event) << 1 | u64::from(self.crosses_kernel);
        let mixed = self.from.0 ^ self.to.0.rotate_left(32) ^ (rest << 48);
        let (mixed, other) = (mixed ^ 0x9e37_79b9_7f4a_7c15, self.stack_end.0.rotate_left(16) ^ small);
        let product = u128::from(mixed) * u128::from(other ^ 0xd1b5_4a32_d192_ed03);
        (product as u64 ^ (product >> 64) as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(32)
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
    /// What is behind a branch whose run ends at that of the row, once that was asked for.
    ending: TailId,
    pub counts: Counts,
}

/// Not asked for yet.
const NOT_ASKED: TailId = TailId::MAX;

const _: () = assert!(size_of::<CountedRow>() <= 64);

/// Rows, each with a number.
#[derive(Default)]
pub(crate) struct Rows {
    known: Vec<CountedRow>,
    numbers: HashTable<RowId>,
    tails: Tails,
}

impl Rows {
    /// The number of a row, which is made if there is none.
    pub(crate) fn number(&mut self, key: Key) -> RowId {
        let Self { known, numbers, .. } = self;
        let is_same = |&number: &RowId| known[number as usize].key == key;
        match numbers.entry(key.hash(), is_same, |&number| known[number as usize].key.hash()) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(place) => {
                let number =
                    RowId::try_from(known.len()).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
                place.insert(number);
                known.push(CountedRow {
                    key,
                    ending: NOT_ASKED,
                    counts: Counts::default(),
                });
                number
            }
        }
    }

    /// What is behind a branch, if the next newer one in the file is that of a row, and whether the run is so long that it ends there wherever
    /// that goes.
    pub(crate) fn behind(&mut self, kind: BinaryKind, own: Ends, newer: RowId) -> (TailId, bool) {
        let Self { tails, known, .. } = self;
        let newer = &mut known[newer as usize];
        let ends = newer.key.ends();
        let tail = tails.behind(kind, own, ends, newer.key.tail).unwrap_or_else(|| {
            if newer.ending == NOT_ASKED {
                newer.ending = tails.ending_at(ends);
            }
            newer.ending
        });
        (tail, is_long(own, ends))
    }

    /// Whether the branch of a row may be none of the binary's.
    pub(crate) fn is_doubtful(&self, kind: BinaryKind, number: RowId) -> bool {
        let key = &self.known[number as usize].key;
        self.tails.is_doubtful(kind, key.ends(), key.tail)
    }

    pub(crate) fn add(&mut self, number: RowId, counts: Counts) {
        self.known[number as usize].counts.add(counts);
    }

    /// How many rows there are at least, and how many things that rows are made of.
    pub(crate) fn len(&self) -> usize {
        self.known.len().max(self.tails.len())
    }
}

/// Rows that several tables have counted. They are only brought together when they are sorted, which takes less than to find each of them.
#[derive(Default)]
pub(crate) struct RowSum {
    rows: Vec<CountedRow>,
    tails: Tails,
}

impl RowSum {
    /// Adds rows.
    pub(crate) fn append(&mut self, other: Rows) {
        if self.rows.is_empty() {
            *self = Self {
                rows: other.known,
                tails: other.tails,
            };
            return;
        }
        let numbers = self.tails.adopt(&other.tails);
        self.rows.extend(other.known.into_iter().map(|mut row| {
            row.key.tail = numbers[row.key.tail as usize];
            row
        }));
    }

    /// Adds the rows of another sum, which has none then.
    pub(crate) fn take(&mut self, other: &mut Self) {
        let Self { rows, tails } = std::mem::take(other);
        self.append(Rows {
            known: rows,
            tails,
            ..Rows::default()
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many rows there are at most, and how many things that rows are made of.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().max(self.tails.len())
    }

    /// Brings together what is the same.
    pub(crate) fn add_up(&mut self) {
        self.rows.sort_unstable_by_key(|row| {
            let Key {
                from,
                to,
                stack_end,
                file,
                tail,
                event,
                crosses_kernel,
            } = row.key;
            (from, to, stack_end, file, tail, event, crosses_kernel)
        });
        add_up_neighbours(&mut self.rows);
    }

    /// All rows, in no particular order, some of them more than once, and what is behind them.
    pub(crate) fn into_parts(self) -> (Vec<CountedRow>, Tails) {
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

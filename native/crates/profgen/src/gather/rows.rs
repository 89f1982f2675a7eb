//! Rows of branches, each with its number of executions.

use rayon::prelude::*;
use traceshard::Loss;

use crate::gather::chain::{TailId, Tails};
use crate::gather::files::FileId;
use crate::gather::places::PlaceId;

/// The number of an event on the machine that it was recorded on.
pub(crate) type EventId = u16;

/// An address in a file, or the absence of an address, as one number. Addresses are less than 2^63.
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

/// A branch of a file, and the possible ends of the run after it. Places and tails are numbers of the [`Tails`] of
/// the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    /// Addresses of the source and the destination in the file.
    pub from: PlaceId,
    pub to: PlaceId,
    pub tail: TailId,
    /// Address at which the run ended, if the next newer entry of the whole stack ended it.
    pub stack_end: PlaceId,
    pub file: FileId,
    pub event: EventId,
    /// True if one end of the branch is in the kernel, and the other is not.
    pub crosses_kernel: bool,
}

impl Key {
    /// Returns the key as numbers that differ for different keys.
    #[inline]
    fn numbers(&self) -> [u64; 3] {
        let both = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        [
            both(self.from.bits(), self.to.bits()),
            both(self.tail.bits(), self.stack_end.bits()),
            both(self.file, u32::from(self.event) << 1 | u32::from(self.crosses_kernel)),
        ]
    }

    /// Returns true if both keys are the same. Compares without branches, unlike `==`.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        let ([a, b, c], [d, e, f]) = (self.numbers(), other.numbers());
        (a ^ d) | (b ^ e) | (c ^ f) == 0
    }

    /// Returns a hash whose bits, the lowest and the highest included, depend on the whole key.
    #[inline]
    pub(crate) fn hash(&self) -> u64 {
        let [branch, run, whose] = self.numbers();
        let whose = whose.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let product =
            u128::from(branch ^ 0x9e37_79b9_7f4a_7c15) * u128::from(run ^ whose ^ whose >> 32 ^ 0xd1b5_4a32_d192_ed03);
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
    /// Returns the counts of something that occurred this number of times, without mispredictions.
    pub(crate) fn times(count: u64) -> Self {
        Self { count, mispredicted: 0 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.mispredicted += other.mispredicted;
    }
}

/// A row. Two rows share a line of the processor's cache. Counts that do not fit are in another row with the same
/// key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedRow {
    pub key: Key,
    pub count: u32,
    pub mispredicted: u32,
}

const _: () = assert!(size_of::<CountedRow>() == 32);

impl CountedRow {
    /// Adds the counts of another row. Returns false, and changes nothing, if the sums do not fit.
    #[inline]
    pub(crate) fn add(&mut self, other: &Self) -> bool {
        let count = self.count.checked_add(other.count);
        // A branch is mispredicted at most as often as it is executed.
        if let Some(count) = count {
            self.count = count;
            self.mispredicted += other.mispredicted;
        }
        count.is_some()
    }
}

/// Rows and their tails, in no particular order. Several rows may have one key.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub rows: Vec<CountedRow>,
    pub tails: Tails,
}

impl Rows {
    /// Returns the number of rows, or the number of notes about tails and places, whichever is greater.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().max(self.tails.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Moves the rows of `other` to these rows.
    pub(crate) fn take(&mut self, other: &mut Self) {
        let other = std::mem::take(other);
        if self.is_empty() {
            *self = other;
            return;
        }
        let adopted = self.tails.adopt(&other.tails);
        self.rows.extend(other.rows.into_iter().map(|row| CountedRow {
            key: Key {
                from: adopted.place(row.key.from),
                to: adopted.place(row.key.to),
                tail: adopted.tail(row.key.tail),
                stack_end: adopted.place(row.key.stack_end),
                ..row.key
            },
            ..row
        }));
    }

    /// Adds up equal rows.
    pub(crate) fn add_up(&mut self) {
        self.rows.par_sort_unstable_by_key(|row| row.key.numbers());
        add_up_neighbours(&mut self.rows);
    }
}

/// Makes one row of neighbouring rows that are equal, unless the counts do not fit into one row.
pub(crate) fn add_up_neighbours(rows: &mut Vec<CountedRow>) {
    rows.dedup_by(|row, kept| row.key.is(&kept.key) && kept.add(row));
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

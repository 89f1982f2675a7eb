//! Adds up the counts of rows.
//!
//! There may be millions of rows, which fit into no cache, so a table of all rows waits for memory at each look-up.
//! Instead, counts are appended to the part that their hash chooses, and now and then the equal rows of a part are
//! added up. A part is small enough for the second-level cache of a core, and it is read from its beginning to its
//! end, which the processor foresees.

use crate::gather::chain::Tails;
use crate::gather::rows::{CountedRow, Rows};

/// Number of parts. The highest bits of the hash of a row choose its part.
const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 8;

/// Least number of rows of a part that are added up.
const MANY: usize = 64;

/// Rows of branches.
#[derive(Debug)]
pub(crate) struct RowTable {
    parts: Box<[Part; PARTS]>,
    /// Memory that parts use while they are added up.
    index: Vec<u32>,
    pub tails: Tails,
}

impl Default for RowTable {
    fn default() -> Self {
        Self {
            parts: Box::new(std::array::from_fn(|_| Part::default())),
            index: Vec::new(),
            tails: Tails::default(),
        }
    }
}

impl RowTable {
    /// Adds counts to the row of their key.
    #[inline]
    pub(crate) fn add(&mut self, counts: CountedRow) {
        debug_assert!(counts.mispredicted <= counts.count, "a misprediction is an execution");
        let part = &mut self.parts[(counts.key.hash() >> (u64::BITS - PART_BITS)) as usize];
        if part.rows.len() >= part.room {
            part.add_up(&mut self.index);
        }
        part.rows.push(counts);
    }

    /// Returns the number of rows, as an upper bound, or the number of notes about tails and places, whichever is
    /// greater.
    pub(crate) fn len(&self) -> usize {
        let rows: usize = self.parts.iter().map(|part| part.rows.len()).sum();
        rows.max(self.tails.len())
    }

    /// Adds up equal rows. Afterwards [`len`](Self::len) counts each row once.
    pub(crate) fn add_up(&mut self) {
        for part in self.parts.iter_mut() {
            part.add_up(&mut self.index);
        }
    }

    /// Takes all rows out of the table.
    pub(crate) fn drain(&mut self) -> Rows {
        self.add_up();
        let Self { parts, tails, .. } = std::mem::take(self);
        let mut rows = Vec::with_capacity(parts.iter().map(|part| part.rows.len()).sum());
        for part in *parts {
            rows.extend(part.rows);
        }
        Rows { rows, tails }
    }
}

/// The rows whose hashes begin with the same bits.
#[derive(Debug, Default)]
struct Part {
    /// Different rows, and after them rows that were not added up yet.
    rows: Vec<CountedRow>,
    /// Number of rows that were added up.
    distinct: usize,
    /// Number of rows at which the rows are added up again.
    room: usize,
}

/// Stands for a free place of the index. No row has this number.
const FREE: u32 = u32::MAX;

impl Part {
    /// Adds up equal rows. A key whose counts do not fit into one row keeps several rows.
    ///
    /// `index` becomes a hash table with open addressing: the number of each row is at the place that the hash of
    /// its key chooses, or at the next free place after.
    fn add_up(&mut self, index: &mut Vec<u32>) {
        let places = (self.rows.len() * 2).next_power_of_two();
        index.clear();
        index.resize(places, FREE);
        let mut kept = 0;
        for number in 0..self.rows.len() {
            let row = self.rows[number];
            let mut place = row.key.hash() as usize & (places - 1);
            let is_added = loop {
                let known = index[place];
                if known == FREE {
                    break false;
                }
                if number >= self.distinct {
                    let known = &mut self.rows[known as usize];
                    if known.key.is(&row.key) && known.add(&row) {
                        break true;
                    }
                }
                place = (place + 1) & (places - 1);
            };
            if !is_added {
                index[place] = u32::try_from(kept).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
                self.rows[kept] = row;
                kept += 1;
            }
        }
        self.rows.truncate(kept);
        self.distinct = kept;
        self.room = MANY.max(kept + kept / 4);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;
    use crate::gather::chain::TailId;
    use crate::gather::files::FileId;
    use crate::gather::rows::{EventId, Key};

    /// A branch and the end of its run, each of few addresses, and counts.
    type Counted = ((u64, u64, u64), (u32, u32));

    /// Makes many rows that differ little, so that parts are added up several times. Some addresses and some counts
    /// are so great that they do not fit.
    fn counted() -> impl Strategy<Value = Vec<Counted>> {
        let count = prop_oneof![20 => 1..4u32, 1 => u32::MAX / 2..=u32::MAX];
        let counts = count.prop_flat_map(|count| (Just(count), 0..=count));
        let address = |most: u64| prop_oneof![6 => 0..most, 1 => (0..most).prop_map(|far| far + (1 << 40))];
        prop::collection::vec(((address(8), address(8), address(3)), counts), 0..6000)
    }

    fn rows(of: &[Counted]) -> Rows {
        let mut rows = RowTable::default();
        for ((from, to, end), (count, mispredicted)) in of {
            let tails = &mut rows.tails;
            let key = Key {
                from: tails.places.number(Some(*from)),
                to: tails.places.number(Some(*to)),
                tail: TailId::UNKNOWN,
                stack_end: tails.places.number(end.checked_sub(1)),
                file: (from % 3) as FileId,
                event: (to % 2) as EventId,
                crosses_kernel: from % 5 == 0,
            };
            rows.add(CountedRow {
                key,
                count: *count,
                mispredicted: *mispredicted,
            });
        }
        rows.drain()
    }

    fn add(sums: &mut HashMap<(u64, u64, u64), (u64, u64)>, key: (u64, u64, u64), (count, mispredicted): (u32, u32)) {
        let sum = sums.entry(key).or_default();
        sum.0 += u64::from(count);
        sum.1 += u64::from(mispredicted);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn sums_are_those_of_a_plain_map(counted in counted(), split in 0.0..1.0, adds_up: bool) {
            let (first, second) = counted.split_at((split * counted.len() as f64) as usize);
            let mut all = rows(first);
            let distinct = |of: &[Counted]| of.iter().map(|(key, _)| key).collect::<std::collections::HashSet<_>>().len();
            if first.iter().all(|(_, (count, _))| *count < 4) {
                prop_assert_eq!(all.rows.len(), distinct(first));
            }
            all.take(&mut rows(second));
            if adds_up {
                all.add_up();
                prop_assert!(all.len() <= distinct(&counted) + counted.iter().filter(|(_, (count, _))| *count > 4).count());
            }
            let (mut found, mut expected) = (HashMap::new(), HashMap::new());
            for (key, counts) in &counted {
                add(&mut expected, *key, *counts);
            }
            let Rows { rows, tails } = all;
            for CountedRow { key, count, mispredicted } in rows {
                let address = |place| tails.places.address(place);
                let (from, to) = (address(key.from).unwrap(), address(key.to).unwrap());
                prop_assert_eq!((key.file, key.event, key.crosses_kernel), ((from % 3) as u32, (to % 2) as u16, from % 5 == 0));
                add(&mut found, (from, to, address(key.stack_end).map_or(0, |end| end + 1)), (count, mispredicted));
            }
            prop_assert_eq!(found, expected);
        }
    }
}

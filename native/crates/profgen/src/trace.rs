//! Counting branch entries: one look-up for an entry and the straight run behind it.

use rustc_hash::FxHashMap;

use crate::counters::{Counter, CounterTable, EXTERNAL};
use crate::ledger::{EntryClass, Ledger};
use image::Svma;

/// An offset from the image's lowest code address, or one of the two values below.
pub(crate) type CodeOffset = u32;

/// Not code of this image.
pub(crate) const OUTSIDE: CodeOffset = CodeOffset::MAX;
/// Nothing is known of what ran after the newest entry of a stack.
pub(crate) const NO_END: CodeOffset = CodeOffset::MAX - 1;

/// A branch and the end of the straight run that followed it: the source of the next newer entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Trace {
    pub from: CodeOffset,
    pub to: CodeOffset,
    pub end: CodeOffset,
}

/// A branch as recorded, in the address space that `view` numbers, and the end of the run behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawTrace {
    pub from: u64,
    pub to: u64,
    pub end: CodeOffset,
    pub view: u16,
}

/// What a raw trace turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// At least one end is code.
    Used { from: CodeOffset, to: CodeOffset },
    /// Neither end is.
    Lost(EntryClass),
}

/// Slots of the cache: 160 KiB, a part of the second-level cache of a core.
const SLOTS: usize = 1 << 12;

#[derive(Clone, Copy)]
struct Slot {
    trace: RawTrace,
    resolved: Resolved,
    count: u16,
}

/// Counts of traces.
///
/// In front of the hash table stands a direct-mapped cache of raw addresses. Loops repeat their traces so often that most entries are
/// answered there: they cost no search for their mapping, no question whether they are code and no hashing of the table.
pub(crate) struct TraceTable {
    slots: Box<[Slot]>,
    counts: FxHashMap<Trace, u64>,
    ledger: Ledger,
}

impl Default for TraceTable {
    fn default() -> Self {
        let trace = RawTrace {
            from: 0,
            to: 0,
            end: NO_END,
            view: 0,
        };
        let empty = Slot {
            trace,
            resolved: Resolved::Lost(EntryClass::Unmapped),
            count: 0,
        };
        Self {
            slots: vec![empty; SLOTS].into_boxed_slice(),
            counts: FxHashMap::default(),
            ledger: Ledger::default(),
        }
    }
}

impl TraceTable {
    /// Counts an entry. `resolve` is asked when the cache does not know the entry, and must always answer the same.
    #[inline]
    pub(crate) fn add(&mut self, trace: RawTrace, resolve: impl FnOnce() -> Resolved) -> Resolved {
        let slot = &mut self.slots[slot_of(trace)];
        if slot.trace == trace && slot.count.wrapping_sub(1) < u16::MAX - 1 {
            slot.count += 1;
            return slot.resolved;
        }
        let replaced = std::mem::replace(
            slot,
            Slot {
                trace,
                resolved: resolve(),
                count: 1,
            },
        );
        let resolved = slot.resolved;
        self.settle(replaced);
        resolved
    }

    /// Counts entries of a class that is known without looking at addresses.
    pub(crate) fn add_lost(&mut self, class: EntryClass, count: u64) {
        self.ledger[class] += count;
    }

    /// Notes that so many entries were read.
    pub(crate) fn read(&mut self, entries: u64) {
        self.ledger.read(entries);
    }

    /// Forgets what the cache knows, for when numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for index in 0..self.slots.len() {
            let slot = Slot {
                count: 0,
                ..self.slots[index]
            };
            let replaced = std::mem::replace(&mut self.slots[index], slot);
            self.settle(replaced);
        }
    }

    fn settle(&mut self, Slot { trace, resolved, count }: Slot) {
        if count > 0 {
            self.add_times(trace.end, resolved, u64::from(count));
        }
    }

    /// Counts an entry that was met `count` times, past the cache. It gets a row even if that is never, as llvm-profgen does it.
    pub(crate) fn add_times(&mut self, end: CodeOffset, resolved: Resolved, count: u64) {
        match resolved {
            Resolved::Used { from, to } => {
                self.ledger[EntryClass::Used] += count;
                *self.counts.entry(Trace { from, to, end }).or_insert(0) += count;
            }
            Resolved::Lost(class) => self.ledger[class] += count,
        }
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.ledger += &other.ledger;
        if self.counts.len() < other.counts.len() {
            std::mem::swap(&mut self.counts, &mut other.counts);
        }
        for (trace, count) in other.counts {
            *self.counts.entry(trace).or_insert(0) += count;
        }
    }

    /// The branches whose target is code, the pairs of (target, end of the run) of all neighbouring entries, and the account.
    pub(crate) fn into_counters(mut self, base: Svma) -> (CounterTable, CounterTable, Ledger) {
        self.flush();
        let svma = |offset: CodeOffset| {
            if offset == OUTSIDE {
                EXTERNAL
            } else {
                base.wrapping_add(u64::from(offset))
            }
        };
        let mut branches = Vec::with_capacity(self.counts.len());
        let mut pairs = Vec::with_capacity(self.counts.len());
        for (trace, count) in self.counts {
            if trace.to != OUTSIDE {
                branches.push(Counter {
                    first: svma(trace.from),
                    second: svma(trace.to),
                    count,
                });
            }
            if trace.end != NO_END {
                pairs.push(Counter {
                    first: svma(trace.to),
                    second: svma(trace.end),
                    count,
                });
            }
        }
        (CounterTable::new(branches), CounterTable::new(pairs), self.ledger)
    }
}

/// Multiplicative hashing: the top bits depend on all bits of the addresses.
#[inline]
fn slot_of(trace: RawTrace) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = trace.from ^ trace.to.rotate_left(23) ^ u64::from(trace.end).rotate_left(41) ^ u64::from(trace.view);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn resolve(trace: RawTrace) -> Resolved {
        if trace.from.is_multiple_of(5) {
            return Resolved::Lost(EntryClass::OutsideBinary);
        }
        Resolved::Used {
            from: trace.from as u32 + 0x10 * u32::from(trace.view),
            to: trace.to as u32,
        }
    }

    proptest! {
        #[test]
        fn counts_like_a_plain_map(
            entries in prop::collection::vec((0u64..9, 0u64..4000, 0u32..5, 0u16..3), 0..3000),
            cut in 0usize..3000,
        ) {
            let traces: Vec<_> =
                entries.iter().map(|&(from, to, end, view)| RawTrace { from, to, end, view }).collect();
            let (first, rest) = traces.split_at(cut.min(traces.len()));
            let mut tables = [TraceTable::default(), TraceTable::default()];
            for (table, part) in tables.iter_mut().zip([first, rest]) {
                for &trace in part {
                    prop_assert_eq!(table.add(trace, || resolve(trace)), resolve(trace));
                }
            }
            let [mut all, rest] = tables;
            all.merge(rest);
            let (branches, pairs, ledger) = all.into_counters(Svma(0x1000));

            let mut plain = [BTreeMap::new(), BTreeMap::new()];
            let mut lost = 0;
            for trace in traces {
                match resolve(trace) {
                    Resolved::Used { from, to } => {
                        *plain[0].entry((from, to)).or_insert(0u64) += 1;
                        *plain[1].entry((to, trace.end)).or_insert(0u64) += 1;
                    }
                    Resolved::Lost(_) => lost += 1,
                }
            }
            prop_assert_eq!(ledger[EntryClass::OutsideBinary], lost);
            prop_assert_eq!(ledger[EntryClass::Used], plain[0].values().sum::<u64>());
            for (table, plain) in [branches, pairs].iter().zip(plain) {
                let want: Vec<_> = plain
                    .into_iter()
                    .map(|((a, b), count)| Counter {
                        first: Svma(0x1000 + u64::from(a)),
                        second: Svma(0x1000 + u64::from(b)),
                        count,
                    })
                    .collect();
                prop_assert_eq!(table.rows(), &want[..]);
            }
        }
    }

    #[test]
    fn a_slot_that_is_full_loses_nothing() {
        let trace = RawTrace {
            from: 1,
            to: 2,
            end: 3,
            view: 0,
        };
        let mut table = TraceTable::default();
        for _ in 0..200_000 {
            table.add(trace, || resolve(trace));
        }
        let (branches, ..) = table.into_counters(Svma(0));
        assert_eq!(branches.rows()[0].count, 200_000);
    }

    #[test]
    fn the_two_sentinels_mean_what_they_say() {
        let mut table = TraceTable::default();
        for (from, to, end) in [(OUTSIDE, 4, NO_END), (8, OUTSIDE, 2)] {
            let trace = RawTrace {
                from: u64::from(from),
                to: u64::from(to),
                end,
                view: 0,
            };
            table.add(trace, || Resolved::Used { from, to });
        }
        let (branches, pairs, _) = table.into_counters(Svma(0x10));
        assert_eq!(
            branches.rows(),
            [Counter {
                first: EXTERNAL,
                second: Svma(0x14),
                count: 1
            }]
        );
        assert_eq!(
            pairs.rows(),
            [Counter {
                first: EXTERNAL,
                second: Svma(0x12),
                count: 1
            }]
        );
    }
}

//! Counting branch entries: one table operation for an entry and the straight run behind it.

use rustc_hash::FxHashMap;

use crate::counters::{Counter, CounterTable, EXTERNAL};
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

const SLOTS: usize = 1 << 12;

#[derive(Clone, Copy)]
struct Slot {
    trace: Trace,
    count: u32,
}

/// Counts of traces. In front of the hash table stands a direct-mapped cache that fits the second-level cache of a core: loops repeat
/// their traces so often that the table itself is rarely touched.
pub(crate) struct TraceTable {
    slots: Box<[Slot]>,
    counts: FxHashMap<Trace, u64>,
}

impl Default for TraceTable {
    fn default() -> Self {
        let empty = Slot {
            trace: Trace {
                from: OUTSIDE,
                to: OUTSIDE,
                end: OUTSIDE,
            },
            count: 0,
        };
        Self {
            slots: vec![empty; SLOTS].into_boxed_slice(),
            counts: FxHashMap::default(),
        }
    }
}

impl TraceTable {
    #[inline]
    pub(crate) fn add(&mut self, trace: Trace) {
        let slot = &mut self.slots[slot_of(trace)];
        if slot.trace == trace && slot.count != u32::MAX {
            slot.count += 1;
            return;
        }
        if slot.count > 0 {
            *self.counts.entry(slot.trace).or_insert(0) += u64::from(slot.count);
        }
        *slot = Slot { trace, count: 1 };
    }

    fn flush(&mut self) {
        for slot in &mut self.slots {
            if slot.count > 0 {
                *self.counts.entry(slot.trace).or_insert(0) += u64::from(slot.count);
                slot.count = 0;
            }
        }
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        if self.counts.len() < other.counts.len() {
            std::mem::swap(&mut self.counts, &mut other.counts);
        }
        for (trace, count) in other.counts {
            *self.counts.entry(trace).or_insert(0) += count;
        }
    }

    /// The branches whose target is code, and the pairs of (target, end of the run) of all neighbouring entries.
    pub(crate) fn into_counters(mut self, base: Svma) -> (CounterTable, CounterTable) {
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
        (CounterTable::new(branches), CounterTable::new(pairs))
    }
}

/// Multiplicative hashing: the top bits depend on all bits of the three offsets.
#[inline]
fn slot_of(trace: Trace) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let low = u64::from(trace.from) << 32 | u64::from(trace.to);
    let mixed = (low ^ u64::from(trace.end).rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (64 - BITS)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn counts_like_a_plain_map(entries in prop::collection::vec((0u32..9, 0u32..4000, 0u32..5), 0..3000), cut in 0usize..3000) {
            let traces: Vec<_> = entries.iter().map(|&(from, to, end)| Trace { from, to, end }).collect();
            let cut = cut.min(traces.len());
            let mut tables = [TraceTable::default(), TraceTable::default()];
            traces[..cut].iter().for_each(|&trace| tables[0].add(trace));
            traces[cut..].iter().for_each(|&trace| tables[1].add(trace));
            let [mut all, rest] = tables;
            all.merge(rest);
            let (branches, pairs) = all.into_counters(Svma(0x1000));

            let mut plain = [BTreeMap::new(), BTreeMap::new()];
            for trace in traces {
                *plain[0].entry((trace.from, trace.to)).or_insert(0u64) += 1;
                *plain[1].entry((trace.to, trace.end)).or_insert(0u64) += 1;
            }
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
    fn the_two_sentinels_mean_what_they_say() {
        let mut table = TraceTable::default();
        table.add(Trace {
            from: OUTSIDE,
            to: 4,
            end: NO_END,
        });
        table.add(Trace {
            from: 8,
            to: OUTSIDE,
            end: 2,
        });
        let (branches, pairs) = table.into_counters(Svma(0x10));
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

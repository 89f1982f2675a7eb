//! Counts branch entries. One look-up serves an entry and the straight run after it.

use perfdata::Avma;

use crate::account::ledger::{EntryClass, Ledger};
use crate::addresses::locate::Place;
use crate::binaries::code_space::{CodeOffset, CodeSpace, NEXT_BRANCH, NO_BRANCH, NO_END, OUTSIDE, RUN_ONLY};
use crate::binaries::id::{BinaryId, ByBinary};
use crate::counting::counter::{Counter, EXTERNAL};
use crate::counting::counters::CounterTable;
use crate::counting::ends::{Ends, ManyEnds};
use crate::counting::resolved::{RawEntry, Resolved};
use crate::counting::trace_counts::{Trace, TraceCounts};

/// Number of slots of the cache, which takes 192 KiB: a part of a core's second-level cache.
const SLOTS: usize = 1 << 12;

/// Number of entries outside of the cache that are many for one stack, which has up to 32 entries.
const MANY_MISSES: usize = 8;

/// A slot of the cache. It has the fields of a [`RawEntry`] one by one, so that no padding lies between them.
#[derive(Clone, Copy)]
struct Slot {
    from: u64,
    to: u64,
    view: u16,
    count: u16,
    /// The ends of the runs after the entry: in the target of its source, and in the target of its
    /// destination.
    ends: [CodeOffset; 2],
    resolved: Resolved,
}

const _: () = assert!(size_of::<Slot>() == 48);

const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    view: 0,
    count: 0,
    resolved: Resolved::Lost(EntryClass::Unmapped),
    ends: [NO_END; 2],
};

impl Slot {
    #[inline]
    fn holds(&self, entry: RawEntry) -> bool {
        self.from == entry.from && self.to == entry.to && self.view == entry.view
    }
}

/// Counts of traces.
///
/// In front of the hash table stands a direct-mapped cache of raw addresses. Loops repeat their traces so
/// often that the cache answers most entries. These entries need no search for a mapping or an instruction,
/// and no hash of the table.
pub(crate) struct TraceTable {
    slots: Box<[Slot; SLOTS]>,
    counts: TraceCounts,
    ledger: Ledger,
    /// Number of entries with an end in the code of a binary that is at no instruction.
    misplaced: ByBinary<u64>,
    /// Room for the ends of a stack in several targets.
    pub(crate) ends: Option<ManyEnds>,
    /// Number of entries since the last call of [`TraceTable::misses_many`] that were not in the cache.
    misses: usize,
}

impl Default for TraceTable {
    fn default() -> Self {
        Self::new(None)
    }
}

/// The counts of one target.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TargetCounters {
    /// Branches whose target is code.
    pub branches: CounterTable,
    /// Pairs of (target, end of the run) of all neighbouring entries.
    pub pairs: CounterTable,
    /// The beginnings of runs that go on to the next branch. Both ends of each counter are this beginning.
    pub stretches: CounterTable,
    /// Number of entries with an end in the target.
    pub entries: u64,
    /// Number of entries with an end in the target's code that is at no instruction.
    pub misplaced: u64,
}

impl TraceTable {
    /// Makes a table for one target, or for several if `several` states the number of places for them.
    pub(crate) fn new(several: Option<usize>) -> Self {
        Self {
            // The array is made on the heap, because some stacks are too small for it.
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            counts: TraceCounts::default(),
            ledger: Ledger::default(),
            misplaced: ByBinary::new(),
            ends: several.map(ManyEnds::new),
            misses: 0,
        }
    }

    /// Returns true if many entries since the last call were not in the cache. The entries of the next stack will
    /// hardly be in the cache, either.
    #[inline]
    pub(crate) fn misses_many(&mut self) -> bool {
        std::mem::take(&mut self.misses) >= MANY_MISSES
    }

    /// Counts an entry; `newer` is the source of the entry before it in the stack. `resolve` is called if the
    /// cache does not have the entry, and must return the same result for the same entry.
    #[inline]
    pub(crate) fn add(
        &mut self,
        entry: RawEntry,
        newer: Avma,
        ends: &impl Ends,
        resolve: impl FnOnce() -> Resolved,
    ) -> Resolved {
        let slot = &mut self.slots[slot_of(entry, newer)];
        if slot.holds(entry) && ends.are(slot.ends, &slot.resolved) && slot.count.wrapping_sub(1) < u16::MAX - 1 {
            slot.count += 1;
            return slot.resolved;
        }
        self.misses += 1;
        let resolved = resolve();
        let ends = ends.of(&resolved);
        let replaced = std::mem::replace(
            slot,
            Slot {
                from: entry.from,
                to: entry.to,
                view: entry.view,
                count: 1,
                ends,
                resolved,
            },
        );
        self.settle(replaced);
        resolved
    }

    /// Counts entries of a class that is known without a look at addresses.
    pub(crate) fn add_lost(&mut self, class: EntryClass, count: u64) {
        self.ledger.add(class, count);
    }

    /// Notes that `entries` entries were read. All of them are of a class that is known without a look at
    /// addresses.
    pub(crate) fn lose(&mut self, class: EntryClass, entries: u64) {
        self.ledger.read(entries);
        self.ledger.add(class, entries);
    }

    /// Notes that `entries` entries were read.
    pub(crate) fn read(&mut self, entries: u64) {
        self.ledger.read(entries);
    }

    /// Multiplies as [`Ledger::product`] does.
    pub(crate) fn product(&mut self, count: u64, times: u64) -> u64 {
        self.ledger.product(count, times)
    }

    /// Empties the cache. The caller does so before numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for index in 0..SLOTS {
            let slot = Slot {
                count: 0,
                ..self.slots[index]
            };
            let replaced = std::mem::replace(&mut self.slots[index], slot);
            self.settle(replaced);
        }
    }

    fn settle(&mut self, slot: Slot) {
        if slot.count > 0 {
            self.add_times(slot.ends, slot.resolved, u64::from(slot.count));
        }
    }

    /// Counts an entry that was read `count` times, without the cache. The entry gets a row even if `count`
    /// is 0, as in llvm-profgen.
    ///
    /// A branch from one target to another leaves the one and enters the other.
    pub(crate) fn add_times(&mut self, [from_end, to_end]: [CodeOffset; 2], resolved: Resolved, count: u64) {
        let (from, to, crosses) = match resolved {
            Resolved::Used {
                from,
                to,
                from_target,
                to_target,
                misplaced,
            } => {
                if let Some(target) = misplaced {
                    self.misplace(target, count);
                }
                (from, to, from_target != to_target)
            }
            Resolved::Misplaced(target) => {
                self.misplace(target, count);
                self.ledger.add(EntryClass::NotInstruction, count);
                return;
            }
            Resolved::Lost(class) => {
                self.ledger.add(class, count);
                return;
            }
        };
        self.ledger.add(EntryClass::Used, count);
        let mut row = |from, to, end| self.counts.add(Trace { from, to, end }, count);
        if crosses {
            row(from, OUTSIDE, from_end);
            row(OUTSIDE, to, to_end);
        } else {
            row(from, to, to_end);
        }
    }

    fn misplace(&mut self, binary: BinaryId, count: u64) {
        let misplaced = self.misplaced.entry(binary).or_default();
        *misplaced = misplaced.wrapping_add(count);
    }

    /// Counts a sampled address as a run of one instruction.
    pub(crate) fn add_address(&mut self, place: Place, count: u64) {
        let end = match place {
            Place::Code(offset, _) => offset,
            _ => NO_END,
        };
        self.add_from(place, end, count);
    }

    fn add_from(&mut self, start: Place, end: CodeOffset, count: u64) {
        match start {
            Place::Code(to, _) => {
                self.ledger.add(EntryClass::Used, count);
                let from = NO_BRANCH;
                self.counts.add(Trace { from, to, end }, count);
            }
            lost => self.ledger.add(lost.class(), count),
        }
    }

    /// Counts a branch, and the run from its target up to the next branch.
    pub(crate) fn add_with_stretch(&mut self, branch: Resolved, count: u64) {
        self.add_times([NO_END, NEXT_BRANCH], branch, count);
    }

    /// Counts a branch, and the run before it between two places, if both places are in the same target.
    pub(crate) fn add_with_run(&mut self, branch: Resolved, run: [Place; 2], count: u64) {
        self.add_times([NO_END; 2], branch, count);
        if let [Place::Code(to, target), Place::Code(end, other)] = run
            && target == other
        {
            let from = RUN_ONLY;
            self.counts.add(Trace { from, to, end }, count);
        }
    }

    /// Counts the run from a place up to the next branch.
    pub(crate) fn add_stretch(&mut self, start: Place, count: u64) {
        self.add_from(start, NEXT_BRANCH, count);
    }

    /// Adds the counts of another worker.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.flush();
        other.flush();
        self.ledger += &other.ledger;
        for (binary, count) in other.misplaced {
            self.misplace(binary, count);
        }
        self.counts.merge(other.counts);
    }

    /// Returns the counters of each target, and the ledger.
    pub(crate) fn into_counters(mut self, space: &CodeSpace) -> (ByBinary<TargetCounters>, Ledger) {
        self.flush();
        let places = space.regions().map(|region| region.binary.index() + 1).max();
        let mut rows: Vec<Rows> = (0..places.unwrap_or(0)).map(|_| Rows::default()).collect();
        if let [Rows { branches, pairs, .. }] = &mut rows[..] {
            // A list that grows doubles its room, which would take more memory than everything else.
            branches.reserve_exact(self.counts.len());
            pairs.reserve_exact(self.counts.len());
        }
        for (trace, count) in self.counts.into_rows() {
            let owner = space.owner(if trace.to == OUTSIDE { trace.from } else { trace.to });
            let svma = |offset| {
                if offset == OUTSIDE {
                    EXTERNAL
                } else {
                    owner.svma(offset)
                }
            };
            let counter = |first, second| Counter {
                first: svma(first),
                second: svma(second),
                count,
            };
            let rows = &mut rows[owner.binary.index()];
            if trace.from != RUN_ONLY {
                rows.entries = rows.entries.wrapping_add(count);
            }
            if trace.to != OUTSIDE && !matches!(trace.from, NO_BRANCH | RUN_ONLY) {
                rows.branches.push(counter(trace.from, trace.to));
            }
            match trace.end {
                NO_END => {}
                NEXT_BRANCH if trace.to == OUTSIDE => {}
                NEXT_BRANCH => rows.stretches.push(counter(trace.to, trace.to)),
                end => rows.pairs.push(counter(trace.to, end)),
            }
        }
        let counters = space.regions().map(|region| {
            let Rows {
                branches,
                pairs,
                stretches,
                entries,
            } = std::mem::take(&mut rows[region.binary.index()]);
            let (branches, pairs) = rayon::join(|| CounterTable::new(branches), || CounterTable::new(pairs));
            let counters = TargetCounters {
                branches,
                pairs,
                stretches: CounterTable::new(stretches),
                entries,
                misplaced: self.misplaced.remove(&region.binary).unwrap_or(0),
            };
            (region.binary, counters)
        });
        (counters.collect(), self.ledger)
    }
}

/// The rows of one target before they are sorted.
#[derive(Default)]
struct Rows {
    branches: Vec<Counter>,
    pairs: Vec<Counter>,
    stretches: Vec<Counter>,
    entries: u64,
}

/// Returns the slot of an entry by multiplicative hashing: the top bits depend on all bits of the addresses.
/// The source of the newer entry stands for the end of the run. It is known before the newer entry is
/// resolved, so the processor can look up several entries of a stack at once.
#[inline]
fn slot_of(entry: RawEntry, newer: Avma) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = entry.from ^ entry.to.rotate_left(23) ^ newer.0.rotate_left(41) ^ u64::from(entry.view);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

#[cfg(test)]
#[path = "trace_tests.rs"]
mod tests;

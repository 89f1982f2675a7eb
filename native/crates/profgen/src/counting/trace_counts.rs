//! Counts of traces, of which there may be hundreds of thousands.
//!
//! A table of this size fits into no cache, so the look-up of a row waits for memory. Traces are therefore
//! collected, and many of them are looked up together: the processor fetches all of their rows at once.

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::binaries::code_space::{CodeOffset, NO_END, OUTSIDE};
use crate::counting::counters::MANY;

/// A branch and the end of the straight run that followed it, which is the source of the next newer entry.
/// All three are in one target, or [`OUTSIDE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Trace {
    pub from: CodeOffset,
    pub to: CodeOffset,
    pub end: CodeOffset,
}

impl Trace {
    /// Returns true if both traces are the same. Compares without branches, unlike `==`.
    #[inline]
    fn is(self, other: Self) -> bool {
        (self.from ^ other.from) | (self.to ^ other.to) | (self.end ^ other.end) == 0
    }

    /// Returns a hash whose top bits depend on all bits of the trace.
    #[inline]
    fn hash(self) -> u64 {
        const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
        let entry = (u64::from(self.from) << 32 | u64::from(self.to)).wrapping_mul(MULTIPLIER);
        (entry ^ entry >> 32 ^ u64::from(self.end)).wrapping_mul(MULTIPLIER)
    }
}

/// Number of parts of the table. The hash of a trace chooses its part. Each part grows by itself, and threads
/// can work on different parts.
const PARTS: usize = 1 << PART_BITS;
const PART_BITS: u32 = 4;

/// Number of traces that a part looks up together.
const BATCH: usize = 64;

/// Counts of traces.
pub(crate) struct TraceCounts {
    parts: Box<[Part; PARTS]>,
}

impl Default for TraceCounts {
    fn default() -> Self {
        Self {
            parts: Box::new(std::array::from_fn(|_| Part::default())),
        }
    }
}

impl TraceCounts {
    /// Adds `count` executions of a trace. Sums wrap around, as llvm-profgen's do, because a text may state
    /// any count. The trace gets a row even if `count` is 0.
    #[inline]
    pub(crate) fn add(&mut self, trace: Trace, count: u64) {
        debug_assert!(
            trace.from != OUTSIDE || trace.to != OUTSIDE,
            "one end of a trace is code"
        );
        let part = &mut self.parts[(trace.hash() >> (u64::BITS - PART_BITS)) as usize];
        let row = Row {
            trace,
            count: u32::try_from(count).unwrap_or_else(|_| part.exceed(trace, count)),
        };
        if part.waiting.len() == part.room {
            part.make_room();
        }
        part.waiting.push(row);
    }

    /// Adds the counts of another table.
    pub(crate) fn merge(&mut self, mut other: Self) {
        let rows = other.len();
        let parts = (&mut self.parts[..], &mut other.parts[..]);
        if rows < MANY {
            parts
                .0
                .iter_mut()
                .zip(parts.1)
                .for_each(|(part, other)| part.merge(other));
        } else {
            parts.into_par_iter().for_each(|(part, other)| part.merge(other));
        }
    }

    /// Returns an upper bound of the number of distinct traces.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Returns the traces in no particular order, each once, with their counts.
    pub(crate) fn into_rows(self) -> impl Iterator<Item = (Trace, u64)> {
        self.parts.into_iter().flat_map(|mut part| {
            part.settle();
            let Part { table, excess, .. } = part;
            table.rows.into_iter().filter(|row| !row.is_free()).map(move |row| {
                let excess = if excess.is_empty() {
                    0
                } else {
                    excess.get(&row.trace).copied().unwrap_or(0)
                };
                (row.trace, excess.wrapping_add(u64::from(row.count)))
            })
        })
    }
}

/// A trace and its count. Four rows share a line of the CPU's cache.
#[derive(Debug, Clone, Copy)]
struct Row {
    trace: Trace,
    count: u32,
}

const _: () = assert!(size_of::<Row>() == 16);

impl Row {
    #[inline]
    fn is_free(&self) -> bool {
        self.trace == FREE.trace
    }
}

/// Stands for a free row. No trace has both ends outside of all code.
const FREE: Row = Row {
    trace: Trace {
        from: OUTSIDE,
        to: OUTSIDE,
        end: NO_END,
    },
    count: 0,
};

#[derive(Default)]
struct Part {
    /// Traces that were read and are not in the table yet; at most `room`.
    waiting: Vec<Row>,
    /// Most traces that wait: [`BATCH`], or 0 until the first trace comes. There may be many tables, and most
    /// of their parts stay empty.
    room: usize,
    table: Table,
    /// Counts that did not fit into the rows of their traces.
    excess: FxHashMap<Trace, u64>,
}

impl Part {
    fn len(&self) -> usize {
        self.table.used + self.waiting.len()
    }

    /// Notes a count that does not fit into a row. Returns 0, the count that remains for the row.
    #[cold]
    fn exceed(&mut self, trace: Trace, count: u64) -> u32 {
        let excess = self.excess.entry(trace).or_insert(0);
        *excess = excess.wrapping_add(count);
        0
    }

    /// Makes room for a waiting trace.
    fn make_room(&mut self) {
        if self.room == 0 {
            self.room = BATCH;
            self.waiting.reserve_exact(BATCH);
        } else {
            self.settle();
        }
    }

    /// Moves the waiting traces into the table.
    fn settle(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        self.count(&waiting);
        waiting.clear();
        self.waiting = waiting;
    }

    /// Counts at most [`BATCH`] traces.
    fn count(&mut self, batch: &[Row]) {
        self.table.reserve(batch.len());
        // Each look-up of this loop is independent of the others, so all of them wait for memory together. The
        // loop has no branch that depends on the memory, because a branch that is predicted wrongly stops them.
        let mut homes = [(0, false); BATCH];
        for (home, row) in homes.iter_mut().zip(batch) {
            let place = self.table.home(row.trace);
            *home = (place, self.table.rows[place].trace.is(row.trace));
        }
        for (&(home, found), row) in homes.iter().zip(batch) {
            let place = if found { home } else { self.table.place(home, row.trace) };
            let count = &mut self.table.rows[place].count;
            match count.checked_add(row.count) {
                Some(sum) => *count = sum,
                None => _ = self.exceed(row.trace, u64::from(row.count)),
            }
        }
    }

    /// Adds all traces of another table's part with the same number.
    fn merge(&mut self, other: &mut Self) {
        if self.len() < other.len() {
            std::mem::swap(self, other);
        }
        self.count(&other.waiting);
        for batch in std::mem::take(&mut other.table.rows).chunks(BATCH) {
            let mut rows = [FREE; BATCH];
            let mut used = 0;
            for row in batch.iter().filter(|row| !row.is_free()) {
                rows[used] = *row;
                used += 1;
            }
            self.count(&rows[..used]);
        }
        for (trace, count) in std::mem::take(&mut other.excess) {
            self.exceed(trace, count);
        }
    }
}

/// A hash table with open addressing. The number of rows is a power of two, or 0.
#[derive(Default)]
struct Table {
    rows: Vec<Row>,
    used: usize,
}

impl Table {
    /// Returns the row at which the search for a trace starts.
    #[inline]
    fn home(&self, trace: Trace) -> usize {
        // The bits of the hash after those that chose the part. The number of rows fits into 32 bits.
        let bits = trace.hash() << PART_BITS >> u32::BITS;
        ((bits * self.rows.len() as u64) >> u32::BITS) as usize
    }

    /// Returns the row of a trace. A free row becomes the trace's own. The table must have a free row.
    fn place(&mut self, home: usize, trace: Trace) -> usize {
        let mask = self.rows.len() - 1;
        let mut place = home;
        while self.rows[place].trace != trace {
            if self.rows[place].is_free() {
                self.rows[place].trace = trace;
                self.used += 1;
                break;
            }
            place = (place + 1) & mask;
        }
        place
    }

    /// Makes room for more traces, so that at most three quarters of the rows are used.
    fn reserve(&mut self, more: usize) {
        let wanted = self.used + more;
        if wanted * 4 <= self.rows.len() * 3 {
            return;
        }
        let rows = vec![FREE; (wanted * 4).div_ceil(3).next_power_of_two()];
        for row in std::mem::replace(&mut self.rows, rows) {
            if !row.is_free() {
                let place = self.place(self.home(row.trace), row.trace);
                self.rows[place].count = row.count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Makes many traces that differ little, so that tables grow and rows collide.
    fn counted() -> impl Strategy<Value = Vec<(Trace, u64)>> {
        let count = prop_oneof![8 => 0..3u64, 1 => Just(u64::from(u32::MAX)), 1 => any::<u64>()];
        let trace = (0..40u32, 0..40u32, prop_oneof![0..4u32, Just(NO_END)]);
        let row = (trace, count).prop_map(|((from, to, end), count)| {
            let from = if from == 0 { OUTSIDE } else { from };
            (Trace { from, to, end }, count)
        });
        prop::collection::vec(row, 0..20_000)
    }

    fn table(rows: &[(Trace, u64)]) -> TraceCounts {
        let mut counts = TraceCounts::default();
        rows.iter().for_each(|(trace, count)| counts.add(*trace, *count));
        counts
    }

    fn sums(rows: &[(Trace, u64)]) -> BTreeMap<(u32, u32, u32), u64> {
        let mut sums = BTreeMap::new();
        for (Trace { from, to, end }, count) in rows {
            let sum = sums.entry((*from, *to, *end)).or_insert(0u64);
            *sum = sum.wrapping_add(*count);
        }
        sums
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn counts_are_those_of_a_plain_map(rows in counted(), split in 0.0..1.0) {
            let (first, second) = rows.split_at((split * rows.len() as f64) as usize);
            let mut counts = table(first);
            counts.merge(table(second));
            let found: Vec<_> = counts.into_rows().collect();
            let expected = sums(&rows);
            prop_assert_eq!(found.len(), expected.len());
            prop_assert_eq!(sums(&found), expected);
        }
    }

    #[test]
    fn large_tables_are_merged_on_several_threads() {
        let rows = |range: std::ops::Range<u32>| -> Vec<_> {
            let trace = |at: u32| Trace {
                from: at,
                to: at.wrapping_mul(0x10001),
                end: at + 7,
            };
            range.map(|at| (trace(at), u64::from(at))).collect()
        };
        let (first, second) = (rows(0..100_000), rows(60_000..200_000));
        let mut counts = table(&first);
        counts.merge(table(&second));
        let found: Vec<_> = counts.into_rows().collect();
        assert_eq!(found.len(), 200_000);
        assert_eq!(sums(&found), sums(&[first, second].concat()));
    }
}

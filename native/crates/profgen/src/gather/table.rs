//! Counts the branches of stacks. One look-up serves a branch and the end of the run after it.

use perfdata::{Branch, Speculation};
use traceshard::{KERNEL_START, Loss};

use crate::gather::cache_size::CacheSize;
use crate::gather::entry::{Entry, NO_NEXT, NOTHING, Newest, Next, Of};
use crate::gather::files::{FileId, NO_FILE};
use crate::gather::latest::Latest;
use crate::gather::rows::{Rows, Tally};
use crate::gather::slots::{EMPTY, Known, NOTHING_KNOWN, SLOTS, Slot, slot_in_doubt, slot_of};
use crate::gather::spots::Spots;
use crate::gather::states::{Facts, State, States};
use crate::gather::sums::Sums;

/// Counts of branches.
///
/// In front of the rows stands a direct-mapped cache of raw addresses, as in front of the traces of a profile
/// ([`TraceTable`](crate::counting::trace::TraceTable)).
pub(crate) struct Table {
    slots: Box<[Slot; SLOTS]>,
    known: Box<[Known; SLOTS]>,
    size: CacheSize,
    states: States,
    sums: Sums,
    latest: Latest,
    /// File of the newest branch of the last stack.
    first_file: FileId,
}

impl Default for Table {
    fn default() -> Self {
        // The arrays are made on the heap, because some stacks are too small for them.
        Self {
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            known: vec![NOTHING_KNOWN; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            size: CacheSize::default(),
            states: States::default(),
            sums: Sums::default(),
            latest: Latest::default(),
            first_file: NO_FILE,
        }
    }
}

impl Table {
    /// Greatest number of rows that slots count for.
    pub(crate) const MOST_IN_SLOTS: usize = 2 * SLOTS;

    /// Counts the branches of a stack, the newest first.
    #[inline]
    pub(crate) fn count(&mut self, branches: impl ExactSizeIterator<Item = Branch>, of: Of, spots: &mut Spots) {
        if self.size.note_stack(branches.len()) || self.states.are_many() {
            self.flush();
        }
        let Self {
            slots,
            known: all_known,
            size,
            states,
            sums,
            latest,
            first_file,
        } = self;
        latest.begin_stack();
        let mask = size.mask(SLOTS);
        // The file of the last branch. The newest branch of this file is moved to `latest` when a branch of
        // another file comes. Most stacks begin in the same file as the stack before.
        let (mut file, mut newest) = (*first_file, NOTHING);
        let mut next = Next::NOTHING;
        let begin = Facts {
            newest: Newest {
                from: NO_NEXT,
                ..NOTHING
            },
            file,
            of,
        };
        let mut state = states.number(begin, &sums.rows.tails);
        for branch in branches {
            if branch.flags.speculation() == Speculation::WrongPath {
                sums.tally.add(Loss::WrongPath, 1);
                continue;
            }
            let mut index = slot_of(branch, next.from, of, mask);
            if state.is_in_doubt() {
                index = slot_in_doubt(index, newest.seen.bits(), mask) % SLOTS;
            }
            let mut slot = &mut slots[index];
            let is_it = slot.holds(branch);
            if is_it && slot.before == state {
                slot.counts.count(branch);
                newest = Newest {
                    from: branch.from.0,
                    seen: slot.seen,
                };
                next.from = branch.from.0;
                next.touches_kernel = branch.from.0 >= KERNEL_START;
                state = slot.behind;
                continue;
            }
            let mut known = &mut all_known[index];
            let end = next.of(branch);
            let is_known = is_it && known.is_for(end, of);
            let [first, second] = &known.sides;
            let is_in_file = first.file == file && second.file == NO_FILE;
            if is_known && is_in_file && first.fits(&newest, end) {
                newest = first.newest(branch.from.0);
            } else {
                if file != NO_FILE {
                    latest.set(file, newest);
                }
                let mut fits = is_known && latest.advance(branch.from.0, &known.sides, end);
                if is_known && !fits {
                    // The newest branch of one of the files differs from the last execution, as for the return from
                    // the last call of a library in a stack. Another slot has the counts of this case.
                    index = slot_in_doubt(index, latest.seen(&known.sides), mask) % SLOTS;
                    (slot, known) = (&mut slots[index], &mut all_known[index]);
                    let is_known = slot.holds(branch) && known.is_for(end, of);
                    fits = is_known && latest.advance(branch.from.0, &known.sides, end);
                }
                if !fits {
                    size.note_miss();
                    let entry = Entry { branch, next: end, of };
                    sums.replace(entry, (slot, known), latest, spots);
                    let facts = known.facts(branch);
                    slot.behind = facts.map_or(State::UNKNOWN, |facts| states.number(facts, &sums.rows.tails));
                }
                let [first, second] = &known.sides;
                if first.file != file || second.file != NO_FILE {
                    state = State::UNKNOWN;
                }
                if next.from == NO_NEXT {
                    *first_file = first.file;
                }
                if first.file != NO_FILE {
                    file = first.file;
                    newest = latest.of(file);
                }
            }
            slot.counts.count(branch);
            let follows = state != State::UNKNOWN && next.is_next_of(branch);
            slot.before = if follows { state } else { State::NONE };
            state = slot.behind;
            next.advance(branch);
        }
    }

    /// Returns the numbers of the ledger, to add to them.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.sums.tally
    }

    /// Empties the cache. The caller does so before numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for (slot, known) in self.slots.iter_mut().zip(self.known.iter()) {
            self.sums.settle(slot, known);
            *slot = EMPTY;
        }
        self.states.clear(self.size);
    }

    /// Returns the number of rows that no slot counts for, as an upper bound, or the number of notes about tails and places, whichever
    /// is greater.
    pub(crate) fn len(&self) -> usize {
        self.sums.rows.len()
    }

    /// Empties the cache, and adds up equal rows.
    pub(crate) fn add_up(&mut self) {
        self.flush();
        self.sums.rows.add_up();
    }

    /// Takes all rows out of the table.
    pub(crate) fn drain(&mut self) -> Rows {
        self.flush();
        self.sums.rows.drain()
    }

    /// Takes the numbers of the ledger out of the table.
    pub(crate) fn take_tally(&mut self) -> Tally {
        self.flush();
        std::mem::take(&mut self.sums.tally)
    }
}

//! Counts the branches of stacks. One look-up serves a branch and the end of the run behind it.

use perfdata::{Avma, Branch, Speculation};
use traceshard::{BinaryKind, Ends, KERNEL_START, Loss};

use crate::gather::chain::TailId;
use crate::gather::files::FileId;
use crate::gather::rows::{Counts, EventId, Key, Place, RowId, Rows, Tally};
use crate::gather::spots::{Spot, Spots};

/// Number of slots of the cache, which takes 512 KiB. Most programs use a part of it. It has four times as
/// many slots as the cache for a profile's traces, because the look-up of a row takes longer.
const SLOTS: usize = 1 << 14;

/// Stands for the file of a branch without an end in a file, of a branch with ends in two files, and for the
/// absence of a file.
const NO_FILE: FileId = FileId::MAX;
const TWO_FILES: FileId = FileId::MAX - 1;
const NOT_YET: FileId = FileId::MAX - 2;

/// The number of an entry that a slot is filled with. No two fills have the same number until all slots are
/// emptied.
type Fill = u32;

/// Stands for the fill of the newer entry if it does not tell everything that matters: [`NO_FILL`] in a slot,
/// [`NO_NEWER_FILL`] in a stack. The two values differ, so they never match.
const NO_FILL: Fill = Fill::MAX;
const NO_NEWER_FILL: Fill = Fill::MAX - 1;

/// Number of fills after which all slots are emptied.
const MANY_FILLS: Fill = Fill::MAX / 2;

/// A branch, and the facts that suffice if the newer entry decides everything behind the branch. Two slots
/// fit into a line of the processor's cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Slot {
    from: u64,
    to: u64,
    /// Fill of the next newer entry's slot, if this fill decides everything that matters. Then nothing else
    /// need be compared.
    newer_fill: Fill,
    fill: Fill,
    counts: SmallCounts,
    /// Tail for the next older branch, as in [`Side`], of a branch in one file.
    seen: TailId,
}

const _: () = assert!(size_of::<Slot>() == 32);

/// The newer entry and the sides of a slot's branch when the branch was last counted.
#[derive(Clone, Copy)]
struct Known {
    /// Source of the next newer entry of the stack, as [`Next`] returns it.
    next: u64,
    of: Of,
    /// The side of the branch in its file. For a branch with ends in two files, it says only this, and both
    /// sides are stored elsewhere.
    side: Side,
}

/// Number of executions of a branch, in the lower half, and number of mispredictions. Both are in one number,
/// because two stored parts take long to load as a whole.
#[derive(Clone, Copy)]
struct SmallCounts(u32);

impl SmallCounts {
    const NONE: Self = Self(0);

    #[inline]
    fn count(&mut self, branch: Branch) {
        self.0 += 1 + (u32::from(branch.flags.mispredicted()) << 16);
    }

    /// Returns true if the counts are not 0 and have room for one more execution.
    #[inline]
    fn can_grow(self) -> bool {
        let count = self.0 as u16;
        count.wrapping_sub(1) < u16::MAX - 1
    }

    fn whole(self) -> Counts {
        Counts {
            count: u64::from(self.0 as u16),
            mispredicted: u64::from(self.0 >> 16),
        }
    }
}

/// A branch in one file, and the end of the run behind it.
#[derive(Clone, Copy)]
struct Side {
    /// Tail of the branch; see [`Newest`]. [`TailId::NONE`] if the run ends at the source of the newer
    /// branch, whatever the target of the newer branch is.
    newer: TailId,
    newer_from: u64,
    /// Tail that the next older branch of the file has up to this branch.
    seen: TailId,
    /// Row of the branch. For a branch in no file, the number of a kind of the ledger.
    row: RowId,
    file: FileId,
}

const NO_SIDE: Side = Side {
    newer: TailId::UNKNOWN,
    newer_from: 0,
    seen: TailId::UNKNOWN,
    row: 0,
    file: NO_FILE,
};

const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    newer_fill: NO_FILL,
    fill: 0,
    counts: SmallCounts::NONE,
    seen: TailId::UNKNOWN,
};

const NOTHING_KNOWN: Known = Known {
    next: NO_NEXT,
    of: Of(0),
    side: NO_SIDE,
};

/// Stands for the source of the next newer entry if there is no such entry.
const NO_NEXT: u64 = u64::MAX;

/// The sources of the newest entries of a stack so far. BOLT ends each run at the next newer entry, whatever
/// file this entry is in. Between entries of programs, BOLT skips entries of the kernel.
struct Next {
    of_all: u64,
    of_programs: u64,
}

impl Next {
    const NOTHING: Self = Self {
        of_all: NO_NEXT,
        of_programs: NO_NEXT,
    };

    /// Returns the source of the next newer entry of a branch. The branch is the newer entry of older
    /// branches from now on.
    #[inline]
    fn advance(&mut self, branch: Branch) -> u64 {
        let from = branch.from.0;
        let all = std::mem::replace(&mut self.of_all, from);
        if touches_kernel(branch) {
            all
        } else {
            std::mem::replace(&mut self.of_programs, from)
        }
    }
}

#[inline]
fn touches_kernel(branch: Branch) -> bool {
    branch.from.0.max(branch.to.0) >= KERNEL_START
}

/// The properties of a sample that its rows depend on: its event and its view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of(u32);

impl Of {
    /// Makes the properties of a sample. `view` is the number of the view of its address space.
    #[inline]
    pub(crate) fn new(event: EventId, view: u16) -> Self {
        Self(u32::from(event) << 16 | u32::from(view))
    }

    fn event(self) -> EventId {
        (self.0 >> 16) as EventId
    }
}

/// A branch in its stack.
#[derive(Clone, Copy)]
struct Entry {
    branch: Branch,
    /// Source of the next newer entry, as [`Next`] returns it.
    next: u64,
    of: Of,
}

/// The branch of a file that was read last in a stack.
#[derive(Clone, Copy)]
struct Newest {
    /// Run-time source of the branch.
    from: u64,
    /// Tail that the next older branch of the file has up to this branch
    /// ([`Tails::seen_from_behind`](crate::gather::chain::Tails::seen_from_behind)).
    seen: TailId,
}

const NOTHING: Newest = Newest {
    from: 0,
    seen: TailId::UNKNOWN,
};

impl Side {
    /// Returns the branch as the newest branch of its file.
    #[inline]
    fn newest(&self, from: u64) -> Newest {
        Newest { from, seen: self.seen }
    }

    /// Returns true if the newer branch is the one of the last execution.
    #[inline]
    fn fits(&self, newest: &Newest) -> bool {
        self.newer == newest.seen || (self.newer == TailId::NONE && self.newer_from == newest.from)
    }
}

/// Counts of branches.
///
/// In front of the rows stands a direct-mapped cache of raw addresses, as in front of the traces of a profile
/// ([`TraceTable`](crate::counting::trace::TraceTable)).
pub(crate) struct Table {
    slots: Box<[Slot; SLOTS]>,
    known: Box<[Known; SLOTS]>,
    /// The sides of branches with ends in two files.
    two: Box<[[Side; 2]; SLOTS]>,
    sums: Sums,
    latest: Latest,
}

/// Counts that are in no slot any more.
#[derive(Default)]
struct Sums {
    rows: Rows,
    tally: Tally,
    /// Number of times that slots were filled since all slots were last emptied.
    fills: Fill,
}

/// Stands for the newer entry of the newest entry of a stack.
const NO_NEWER: Branch = Branch {
    from: Avma(0),
    to: Avma(0),
    flags: perfdata::BranchFlags(0),
};

/// The newest branch of each file in a stack.
#[derive(Default)]
struct Latest {
    /// Newest branches by file, each with the number of its stack.
    by_file: Vec<(u64, Newest)>,
    stack: u64,
}

// These functions are inlined. As calls, they would store in parts a value that is loaded as a whole right
// after, which takes long.
impl Latest {
    #[inline(always)]
    fn of(&self, file: FileId) -> Newest {
        match self.by_file.get(file as usize) {
            Some((stack, newest)) if *stack == self.stack => *newest,
            _ => NOTHING,
        }
    }

    #[inline(always)]
    fn set(&mut self, file: FileId, newest: Newest) {
        match self.by_file.get_mut(file as usize) {
            Some(known) => *known = (self.stack, newest),
            None => self.add(file, newest),
        }
    }

    #[cold]
    fn add(&mut self, file: FileId, newest: Newest) {
        self.by_file.resize(file as usize, (0, NOTHING));
        self.by_file.push((self.stack, newest));
    }
}

impl Default for Table {
    fn default() -> Self {
        // The arrays are made on the heap, because some stacks are too small for them.
        Self {
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            known: vec![NOTHING_KNOWN; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            two: vec![[NO_SIDE; 2]; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
            sums: Sums::default(),
            latest: Latest::default(),
        }
    }
}

impl Table {
    /// Counts the branches of a stack, the newest first.
    #[inline]
    pub(crate) fn count(&mut self, branches: impl Iterator<Item = Branch>, of: Of, spots: &mut Spots) {
        if self.sums.rows.are_many() || self.sums.fills > MANY_FILLS {
            self.add_up();
        }
        let Self {
            slots,
            known,
            two,
            sums,
            latest,
        } = self;
        latest.stack += 1;
        // The file of the last branch. The newest branch of this file is moved to `latest` when a branch of
        // another file comes.
        let (mut file, mut newest) = (NOT_YET, NOTHING);
        let mut newer = NO_NEWER;
        let mut newer_fill = NO_NEWER_FILL;
        let mut next = Next::NOTHING;
        for branch in branches {
            if branch.flags.speculation() == Speculation::WrongPath {
                sums.tally.add(Loss::WrongPath, 1);
                continue;
            }
            let mut index = slot_of(branch, newer.from.0, of);
            if newest.seen.is_noted() {
                index = slot_in_doubt(index, newest.seen);
            }
            let end = next.advance(branch);
            let slot = &mut slots[index];
            let is_it = slot.from == branch.from.0 && slot.to == branch.to.0 && slot.counts.can_grow();
            if is_it && slot.newer_fill == newer_fill {
                slot.counts.count(branch);
                newest = Newest {
                    from: branch.from.0,
                    seen: slot.seen,
                };
                (newer, newer_fill) = (branch, slot.fill);
                continue;
            }
            let known = &mut known[index];
            let is_known = is_it && known.next == end && known.of == of;
            if is_known && known.side.file == file && known.side.fits(&newest) {
                newest = known.side.newest(branch.from.0);
            } else {
                if file != NOT_YET {
                    latest.set(file, newest);
                }
                let sides = &mut two[index];
                if !(is_known && latest.advance(branch.from.0, &known.side, sides)) {
                    let entry = Entry { branch, next: end, of };
                    sums.replace(entry, (slot, known, sides), latest, spots);
                }
                if known.side.file != file {
                    newer_fill = NO_NEWER_FILL;
                }
                file = match known.side.file {
                    NO_FILE => file,
                    TWO_FILES => sides[0].file,
                    other => other,
                };
                newest = latest.of(file);
            }
            slot.counts.count(branch);
            // The newer entry is the newest of the file. It is also the next one of the stack, unless BOLT
            // skips it.
            let follows = newer_fill != NO_NEWER_FILL && (touches_kernel(branch) || !touches_kernel(newer));
            slot.newer_fill = if follows { newer_fill } else { NO_FILL };
            (newer, newer_fill) = match known.side.file {
                NO_FILE | TWO_FILES => (branch, NO_NEWER_FILL),
                _ => (branch, slot.fill),
            };
        }
    }

    /// Returns the numbers of the ledger, to add to them.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.sums.tally
    }

    /// Empties the cache. The caller does so before numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        let known = self.known.iter().zip(self.two.iter());
        for (slot, (known, sides)) in self.slots.iter_mut().zip(known) {
            self.sums.settle(slot, known, sides);
            *slot = EMPTY;
        }
        self.sums.fills = 0;
    }

    /// Returns the number of rows, as an upper bound, or the number of notes about tails, whichever is greater.
    pub(crate) fn len(&self) -> usize {
        self.sums.rows.len()
    }

    /// Adds up equal rows.
    pub(crate) fn add_up(&mut self) {
        self.flush();
        self.sums.rows.add_up();
    }

    /// Takes all rows out of the table.
    pub(crate) fn drain(&mut self) -> Rows {
        self.add_up();
        std::mem::take(&mut self.sums.rows)
    }

    /// Takes the numbers of the ledger out of the table.
    pub(crate) fn take_tally(&mut self) -> Tally {
        self.flush();
        std::mem::take(&mut self.sums.tally)
    }
}

impl Latest {
    /// Makes the branch of a slot the newest branch of its files. Returns false, and changes nothing, if the
    /// newer branch is not the one of the last execution.
    #[inline]
    fn advance(&mut self, from: u64, side: &Side, sides: &[Side; 2]) -> bool {
        match side.file {
            NO_FILE => true,
            TWO_FILES => {
                let [first, second] = sides;
                let fits = first.fits(&self.of(first.file)) && second.fits(&self.of(second.file));
                if fits {
                    self.set(first.file, first.newest(from));
                    self.set(second.file, second.newest(from));
                }
                fits
            }
            file => {
                let fits = side.fits(&self.of(file));
                if fits {
                    self.set(file, side.newest(from));
                }
                fits
            }
        }
    }
}

impl Sums {
    /// Puts a branch that is in no slot into this slot.
    fn replace(
        &mut self,
        entry: Entry,
        (slot, known, sides): (&mut Slot, &mut Known, &mut [Side; 2]),
        latest: &mut Latest,
        spots: &mut Spots,
    ) {
        self.settle(slot, known, sides);
        let Entry { branch, next, of } = entry;
        let side = if branch.from.0 | branch.to.0 == 0 {
            lost(Loss::UnfilledSlot)
        } else {
            match (spots.find(branch.from), spots.find(branch.to)) {
                (Spot::In(file, from), Spot::In(other, to)) if file != other => {
                    *sides = [
                        self.touch(entry, file, (Some(from), None), latest, spots),
                        self.touch(entry, other, (None, Some(to)), latest, spots),
                    ];
                    Side {
                        file: TWO_FILES,
                        ..NO_SIDE
                    }
                }
                (Spot::In(file, from), Spot::In(_, to)) => {
                    self.touch(entry, file, (Some(from), Some(to)), latest, spots)
                }
                (Spot::In(file, from), Spot::Elsewhere(_)) => {
                    self.touch(entry, file, (Some(from), None), latest, spots)
                }
                (Spot::Elsewhere(_), Spot::In(file, to)) => self.touch(entry, file, (None, Some(to)), latest, spots),
                (Spot::Elsewhere(Loss::OtherMemory), _) | (_, Spot::Elsewhere(Loss::OtherMemory)) => {
                    lost(Loss::OtherMemory)
                }
                (Spot::Elsewhere(_), Spot::Elsewhere(_)) => lost(Loss::Unmapped),
            }
        };
        *slot = Slot {
            from: branch.from.0,
            to: branch.to.0,
            newer_fill: NO_FILL,
            fill: self.fills,
            counts: SmallCounts::NONE,
            seen: side.seen,
        };
        self.fills += 1;
        *known = Known { next, of, side };
    }

    /// Finds the row of a branch in a file, and makes the branch the newest one there.
    fn touch(
        &mut self,
        Entry { branch, next, of }: Entry,
        (file, kind): (FileId, BinaryKind),
        ends: Ends,
        latest: &mut Latest,
        spots: &mut Spots,
    ) -> Side {
        let [low, high] = [branch.from.0.min(branch.to.0), branch.from.0.max(branch.to.0)];
        let crosses_kernel = low < KERNEL_START && high >= KERNEL_START;
        // No run of a program follows an entry that BOLT skips, and no run of this file follows a branch out
        // of the file.
        let has_run = ends.1.is_some() && next != NO_NEXT && !(crosses_kernel && kind == BinaryKind::User);
        let stack_end = match has_run.then(|| spots.find(Avma(next))) {
            Some(Spot::In((of_next, _), end)) if of_next == file => Some(end),
            _ => None,
        };
        let newer = latest.of(file);
        let (tail, is_long) = self.rows.tails.behind(ends, newer.seen);
        let row = self.rows.number(Key {
            file,
            event: of.event(),
            from: Place::new(ends.0),
            to: Place::new(ends.1),
            tail,
            stack_end: Place::new(stack_end),
            crosses_kernel,
        });
        let side = Side {
            // The source 0 may also stand for the absence of a branch.
            newer: if is_long && newer.from != 0 {
                TailId::NONE
            } else {
                newer.seen
            },
            newer_from: newer.from,
            seen: self.rows.tails.seen_from_behind(kind, ends, tail),
            row,
            file,
        };
        latest.set(file, side.newest(branch.from.0));
        side
    }

    /// Moves the counts of a slot to the rows. The slot has no counts afterwards.
    fn settle(&mut self, slot: &mut Slot, known: &Known, sides: &[Side; 2]) {
        let counts = std::mem::replace(&mut slot.counts, SmallCounts::NONE).whole();
        if counts.count == 0 {
            return;
        }
        match known.side.file {
            NO_FILE => self.tally.add(Loss::ALL[known.side.row as usize], counts.count),
            TWO_FILES => sides.iter().for_each(|side| self.rows.add(side.row, counts)),
            _ => self.rows.add(known.side.row, counts),
        }
    }
}

/// Returns the side of a branch in no file.
fn lost(what: Loss) -> Side {
    Side {
        row: what as RowId,
        ..NO_SIDE
    }
}

/// Returns the slot of a branch for which the newer branch matters more than usual, as at the beginning of a
/// stack. It is a call, so that it does not delay the look-ups of all other branches.
#[cold]
#[inline(never)]
fn slot_in_doubt(index: usize, seen: TailId) -> usize {
    (index ^ seen.bits().wrapping_mul(0x9e37_79b9) as usize) % SLOTS
}

/// Returns the slot of a branch by multiplicative hashing: the top bits depend on all bits of the addresses.
/// The source of the newer entry stands for the end of the run behind the branch. It is known before the
/// newer entry is found, so the processor can look up several entries of a stack at once.
#[inline]
fn slot_of(branch: Branch, newer: u64, of: Of) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = branch.from.0 ^ branch.to.0.rotate_left(23) ^ newer.rotate_left(41) ^ u64::from(of.0);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

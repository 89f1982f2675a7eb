//! Counting the branches of stacks: one look-up for a branch and what is behind it.

use perfdata::{Avma, Branch, Speculation};
use traceshard::{BinaryKind, Ends, KERNEL_START, Loss};

use crate::gather::chain::NO_TAIL;
use crate::gather::files::FileId;
use crate::gather::rows::{Counts, EventId, Key, Place, RowId, Rows, Tally};
use crate::gather::spots::{Spot, Spots};

/// Slots of the cache: 448 KiB, a part of the second-level cache of a core. They are twice as many as those of a profile's traces, because
/// finding a row takes longer.
const SLOTS: usize = 1 << 13;

/// Stands for the file of a branch that has an end in none, of one that has its ends in two, and for none at all.
const NO_FILE: FileId = FileId::MAX;
const TWO_FILES: FileId = FileId::MAX - 1;
const NOT_YET: FileId = FileId::MAX - 2;

/// A branch, and what was behind it when it was met last.
#[derive(Clone, Copy)]
struct Slot {
    from: u64,
    to: u64,
    /// The source of the next newer entry of the stack, as [`Next`] has it.
    next: u64,
    of: Of,
    counts: SmallCounts,
    /// Of a branch with ends in two files it says only that, and both sides are elsewhere.
    side: Side,
}

const _: () = assert!(size_of::<Slot>() == 56);

/// How often a branch was met, in the lower half, and how often it was mispredicted. In one number, because what was stored in parts takes
/// long to load as a whole.
#[derive(Clone, Copy)]
struct SmallCounts(u32);

impl SmallCounts {
    const NONE: Self = Self(0);

    #[inline]
    fn count(&mut self, branch: Branch) {
        self.0 += 1 + (u32::from(branch.flags.mispredicted()) << 16);
    }

    /// Whether there are some, and room for one more.
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

/// The row of a branch that may be none of the binary's, [`NO_DOUBT`], or [`NO_BRANCH`].
type Doubt = RowId;
const NO_DOUBT: Doubt = RowId::MAX;
const NO_BRANCH: Doubt = RowId::MAX - 1;

/// A branch in one file, and what is behind it.
#[derive(Clone, Copy)]
struct Side {
    /// The run-time source of the next newer branch in the file, and what else of it matters if the run up to it is short.
    newer: u64,
    newer_doubt: Doubt,
    /// Of a branch in no file: the number of what the ledger counts.
    row: RowId,
    file: FileId,
    /// The branch may be none of the binary's.
    is_doubtful: bool,
    /// The run is so long that it ends at the source of the newer branch, wherever that goes.
    is_long: bool,
}

const NO_SIDE: Side = Side {
    newer: 0,
    newer_doubt: NO_BRANCH,
    row: 0,
    file: NO_FILE,
    is_doubtful: false,
    is_long: false,
};

const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    next: NO_NEXT,
    of: Of(0),
    counts: SmallCounts::NONE,
    side: NO_SIDE,
};

/// Stands for the source of the next newer entry where there is none.
const NO_NEXT: u64 = u64::MAX;

/// The sources of the entries that were met last in a stack: BOLT ends each run where the next newer entry is, whichever file that is in.
/// Between entries of programs, it passes over those of the kernel.
struct Next {
    of_all: u64,
    of_programs: u64,
}

impl Next {
    const NOTHING: Self = Self {
        of_all: NO_NEXT,
        of_programs: NO_NEXT,
    };

    /// What is behind a branch, which is behind the older ones from now on.
    #[inline]
    fn advance(&mut self, branch: Branch) -> u64 {
        let from = branch.from.0;
        let all = std::mem::replace(&mut self.of_all, from);
        if from.max(branch.to.0) >= KERNEL_START {
            all
        } else {
            std::mem::replace(&mut self.of_programs, from)
        }
    }
}

/// A sample, as far as its rows depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of(u32);

impl Of {
    /// `view` is the number of the view of its address space.
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
    /// The source of the next newer entry, as [`Next`] has it.
    next: u64,
    of: Of,
}

/// The branch of a file that was met last in a stack.
#[derive(Clone, Copy)]
struct Newest {
    /// Its run-time source.
    from: u64,
    row: RowId,
    doubt: Doubt,
}

const NOTHING: Newest = Newest {
    from: 0,
    row: 0,
    doubt: NO_BRANCH,
};

impl Side {
    /// The branch as the newest one of its file.
    #[inline]
    fn newest(&self, from: u64) -> Newest {
        Newest {
            from,
            row: self.row,
            doubt: if self.is_doubtful { self.row } else { NO_DOUBT },
        }
    }

    /// Whether what is behind the branch is what was behind it.
    #[inline]
    fn fits(&self, newest: &Newest) -> bool {
        newest.from == self.newer && (self.is_long || newest.doubt == self.newer_doubt)
    }
}

/// Counted branches.
///
/// In front of the rows stands a direct-mapped cache of raw addresses, as in front of the traces of a profile
/// ([`TraceTable`](crate::counting::trace::TraceTable)).
pub(crate) struct Table {
    slots: Box<[Slot; SLOTS]>,
    /// The sides of branches with ends in two files.
    two: Box<[[Side; 2]; SLOTS]>,
    sums: Sums,
    latest: Latest,
}

/// What was counted and is in no slot any more.
#[derive(Default)]
struct Sums {
    rows: Rows,
    tally: Tally,
}

/// The newest branches of a stack.
#[derive(Default)]
struct Latest {
    /// By file, with the number of the stack.
    by_file: Vec<(u64, Newest)>,
    stack: u64,
}

// As calls, these would store in parts what is loaded as a whole right after, which takes long.
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
        // Made on the heap: they would not fit into every stack.
        Self {
            slots: vec![EMPTY; SLOTS].try_into().unwrap_or_else(|_| unreachable!()),
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
        let Self {
            slots,
            two,
            sums,
            latest,
        } = self;
        latest.stack += 1;
        // The file of the last branch; what is newest there is in `latest` when another file comes.
        let (mut file, mut newest) = (NOT_YET, NOTHING);
        let mut newer = 0;
        let mut next = Next::NOTHING;
        for branch in branches {
            if branch.flags.speculation() == Speculation::WrongPath {
                sums.tally.add(Loss::WrongPath, 1);
                continue;
            }
            let mut index = slot_of(branch, newer, of);
            if newest.doubt < NO_BRANCH {
                index = slot_in_doubt(index, newest.doubt);
            }
            newer = branch.from.0;
            let next = next.advance(branch);
            let slot = &mut slots[index];
            let is_known = slot.from == branch.from.0
                && slot.to == branch.to.0
                && slot.next == next
                && slot.of == of
                && slot.counts.can_grow();
            if is_known && slot.side.file == file && slot.side.fits(&newest) {
                newest = slot.side.newest(branch.from.0);
                slot.counts.count(branch);
                continue;
            }
            if file != NOT_YET {
                latest.set(file, newest);
            }
            let sides = &mut two[index];
            if is_known && latest.advance(slot, sides) {
                slot.counts.count(branch);
            } else {
                sums.count(Entry { branch, next, of }, slot, sides, latest, spots);
            }
            file = match slot.side.file {
                NO_FILE => file,
                TWO_FILES => sides[0].file,
                other => other,
            };
            newest = latest.of(file);
        }
    }

    /// Notes what the ledger counts.
    pub(crate) fn tally(&mut self) -> &mut Tally {
        &mut self.sums.tally
    }

    /// Forgets what the cache knows, for when numbers of views are used again.
    pub(crate) fn flush(&mut self) {
        for (slot, sides) in self.slots.iter_mut().zip(self.two.iter()) {
            self.sums.settle(slot, sides);
            *slot = EMPTY;
        }
    }

    /// How many rows there are at least, and how many things that rows are made of.
    pub(crate) fn len(&self) -> usize {
        self.sums.rows.len()
    }

    /// All rows. None is left.
    pub(crate) fn drain(&mut self) -> Rows {
        self.flush();
        std::mem::take(&mut self.sums.rows)
    }

    /// What the ledger counts. Nothing is left.
    pub(crate) fn take_tally(&mut self) -> Tally {
        self.flush();
        std::mem::take(&mut self.sums.tally)
    }
}

impl Latest {
    /// Makes the branch of a slot the newest one of its files, unless something else is behind it than was.
    #[inline]
    fn advance(&mut self, slot: &Slot, sides: &[Side; 2]) -> bool {
        let from = slot.from;
        match slot.side.file {
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
                let fits = slot.side.fits(&self.of(file));
                if fits {
                    self.set(file, slot.side.newest(from));
                }
                fits
            }
        }
    }
}

impl Sums {
    /// Counts a branch that is in no slot, and puts it into one.
    fn count(&mut self, entry: Entry, slot: &mut Slot, sides: &mut [Side; 2], latest: &mut Latest, spots: &mut Spots) {
        self.settle(slot, sides);
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
            next,
            of,
            counts: SmallCounts::NONE,
            side,
        };
        slot.counts.count(branch);
    }

    /// Finds the row of a branch in a file, and makes it the newest one there.
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
        // No run of a program follows what BOLT passes over, and none of this file follows a branch out of it.
        let has_run = ends.1.is_some() && next != NO_NEXT && !(crosses_kernel && kind == BinaryKind::User);
        let stack_end = match has_run.then(|| spots.find(Avma(next))) {
            Some(Spot::In((of_next, _), end)) if of_next == file => Some(end),
            _ => None,
        };
        let newer = latest.of(file);
        let (tail, is_long) = match newer.doubt {
            NO_BRANCH => (NO_TAIL, false),
            _ => self.rows.behind(kind, ends, newer.row),
        };
        let row = self.rows.number(Key {
            from: Place::new(ends.0),
            to: Place::new(ends.1),
            stack_end: Place::new(stack_end),
            file,
            tail,
            event: of.event(),
            crosses_kernel,
        });
        let side = Side {
            newer: newer.from,
            newer_doubt: newer.doubt,
            row,
            file,
            is_doubtful: self.rows.is_doubtful(kind, row),
            // At 0 there may be nothing as well.
            is_long: is_long && newer.from != 0,
        };
        latest.set(file, side.newest(branch.from.0));
        side
    }

    /// Adds the counts of a slot, which it has none of then.
    fn settle(&mut self, slot: &mut Slot, sides: &[Side; 2]) {
        let counts = std::mem::replace(&mut slot.counts, SmallCounts::NONE).whole();
        if counts.count == 0 {
            return;
        }
        match slot.side.file {
            NO_FILE => self.tally.add(Loss::ALL[slot.side.row as usize], counts.count),
            TWO_FILES => sides.iter().for_each(|side| self.rows.add(side.row, counts)),
            _ => self.rows.add(slot.side.row, counts),
        }
    }
}

/// A branch in no file.
fn lost(what: Loss) -> Side {
    Side {
        row: what as RowId,
        ..NO_SIDE
    }
}

/// The slot of a branch of which it matters more than usual what is behind it, as at the beginning of a stack. As a call, it does not delay
/// the look-ups of all others.
#[cold]
#[inline(never)]
fn slot_in_doubt(index: usize, doubt: Doubt) -> usize {
    (index ^ doubt.wrapping_mul(0x9e37_79b9) as usize) % SLOTS
}

/// Multiplicative hashing: the top bits depend on all bits of the addresses. The source of the newer entry stands for what is behind the
/// branch. That it is known before the newer entry is found lets the processor look up several entries of a stack at once.
#[inline]
fn slot_of(branch: Branch, newer: u64, of: Of) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = branch.from.0 ^ branch.to.0.rotate_left(23) ^ newer.rotate_left(41) ^ u64::from(of.0);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize
}

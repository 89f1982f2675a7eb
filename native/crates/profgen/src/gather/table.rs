//! Counts the branches of stacks. One look-up serves a branch and the end of the run behind it.

use perfdata::{Avma, Branch, Speculation};
use traceshard::{BinaryKind, Ends, KERNEL_START, Loss};

use crate::gather::chain::{TailId, Tails};
use crate::gather::files::FileId;
use crate::gather::rows::{Counts, EventId, Key, Place, RowId, Rows, Tally};
use crate::gather::spots::{Spot, Spots};

/// Number of slots of the cache, which takes 640 KiB. Most programs use a part of it.
const SLOTS: usize = 1 << 13;

/// Number of states that are found again.
const STATES: usize = 1 << 12;

/// Stands for the absence of a file: for a branch without an end in a file, for the second file of a branch
/// with ends in one file, and before the first stack.
const NO_FILE: FileId = FileId::MAX;

/// The number of a state of a stack. The state is everything about the newer entries that the row of an older
/// branch depends on, if the older branch has ends in one file only and the next newer entry has an end in
/// the same file. The lowest bit is 1 if [`Tails::is_in_doubt`] returns true for the tail of the newer entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(u32);

impl State {
    /// Both stand for a state that does not decide everything: [`NONE`](Self::NONE) in a slot, and
    /// [`UNKNOWN`](Self::UNKNOWN) in a stack. The two values differ, so they never match.
    const NONE: Self = Self(u32::MAX - 1);
    const UNKNOWN: Self = Self(u32::MAX - 3);
    /// Number of states after which all slots are emptied.
    const MANY: u32 = u32::MAX / 4;

    #[inline]
    fn is_in_doubt(self) -> bool {
        self.0 & 1 != 0
    }
}

/// A branch, and the facts that suffice if the state of the stack decides everything behind the branch. Two
/// slots fit into a line of the processor's cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Slot {
    from: u64,
    to: u64,
    /// State of the stack before the branch, if the state decides everything that matters. Then nothing else
    /// need be compared.
    before: State,
    /// State of the stack behind the branch.
    behind: State,
    counts: SmallCounts,
    /// Tail for the next older branch of the first side; see [`Side`].
    seen: TailId,
}

const _: () = assert!(size_of::<Slot>() == 32);

impl Slot {
    /// Returns true if the slot is for this branch, and its counts have room for one more execution.
    #[inline]
    fn holds(&self, branch: Branch) -> bool {
        self.from == branch.from.0 && self.to == branch.to.0 && self.counts.can_grow()
    }
}

/// The newer entry and the sides of a slot's branch when the branch was last counted.
#[derive(Clone, Copy)]
struct Known {
    /// Source of the next newer entry of the stack, as [`Next`] returns it.
    next: u64,
    of: Of,
    /// The side of the branch in the file of its source, or in the only file, and the side in the file of its
    /// target, if this is another file.
    sides: [Side; 2],
}

impl Known {
    /// Returns true if the next newer entry and the properties of the sample are those of the last execution.
    #[inline]
    fn is_for(&self, next: u64, of: Of) -> bool {
        self.next == next && self.of == of
    }
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
    /// Tail of the newest branch of the file; see [`Newest`]. [`TailId::NONE`] if the newest branch of the file
    /// is the next entry of the stack and the run ends at its source, whatever its target is.
    newer: TailId,
    /// Tail that the next older branch of the file has up to this branch.
    seen: TailId,
    /// Row of the branch. For a branch in no file, the number of a kind of the ledger.
    row: RowId,
    file: FileId,
}

const NO_SIDE: Side = Side {
    newer: TailId::UNKNOWN,
    seen: TailId::UNKNOWN,
    row: 0,
    file: NO_FILE,
};

const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    before: State::NONE,
    behind: State::UNKNOWN,
    counts: SmallCounts::NONE,
    seen: TailId::UNKNOWN,
};

const NOTHING_KNOWN: Known = Known {
    next: NO_NEXT,
    of: Of(0),
    sides: [NO_SIDE; 2],
};

/// Stands for the source of the next newer entry if there is no such entry.
const NO_NEXT: u64 = u64::MAX;

/// The newest entry of a stack so far. BOLT ends each run at the next newer entry, whatever file this entry is
/// in. Between entries of programs, BOLT skips entries of the kernel.
struct Next {
    from: u64,
    touches_kernel: bool,
    /// Source of the newest entry of a program, if the newest entry touches the kernel.
    of_programs: u64,
}

impl Next {
    const NOTHING: Self = Self {
        from: NO_NEXT,
        touches_kernel: false,
        of_programs: NO_NEXT,
    };

    /// Returns the source of the next newer entry of a branch.
    #[inline]
    fn of(&self, branch: Branch) -> u64 {
        if self.touches_kernel && !touches_kernel(branch) {
            self.of_programs
        } else {
            self.from
        }
    }

    /// Returns true if the newest entry is the next newer entry of a branch, and stays so for other stacks with
    /// the same state.
    #[inline]
    fn is_next_of(&self, branch: Branch) -> bool {
        let is_alike = self.from == NO_NEXT || self.touches_kernel == touches_kernel(branch);
        is_alike && !crosses_kernel(branch)
    }

    /// Makes a branch the newest entry.
    #[inline]
    fn advance(&mut self, branch: Branch) {
        if !self.touches_kernel {
            self.of_programs = self.from;
        }
        self.from = branch.from.0;
        self.touches_kernel = touches_kernel(branch);
    }
}

#[inline]
fn touches_kernel(branch: Branch) -> bool {
    branch.from.0.max(branch.to.0) >= KERNEL_START
}

#[inline]
fn crosses_kernel(branch: Branch) -> bool {
    (branch.from.0 >= KERNEL_START) != (branch.to.0 >= KERNEL_START)
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
#[derive(Clone, Copy, PartialEq, Eq)]
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

    /// Returns true if the newest branch of the file is the one of the last execution. `next` is the source of
    /// the next newer entry of the stack, which must be the one of the last execution.
    #[inline]
    fn fits(&self, newest: &Newest, next: u64) -> bool {
        self.newer == newest.seen || (self.newer == TailId::NONE && newest.from == next)
    }
}

/// The facts that a state stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Facts {
    /// The newest branch. It does not cross the border of the kernel, so its source tells which side it is on.
    newest: Newest,
    file: FileId,
    of: Of,
}

/// The numbers of states, in a direct-mapped cache. Different facts have different numbers until all slots are
/// emptied. Facts that come again soon have the number that they had before.
struct States {
    known: Box<[(Facts, State); STATES]>,
    /// Number of states so far.
    count: u32,
}

const NO_FACTS: (Facts, State) = (
    Facts {
        newest: NOTHING,
        file: NO_FILE,
        of: Of(0),
    },
    State::UNKNOWN,
);

impl Default for States {
    fn default() -> Self {
        Self {
            known: vec![NO_FACTS; STATES].try_into().unwrap_or_else(|_| unreachable!()),
            count: 0,
        }
    }
}

impl States {
    /// Returns the number of the state with these facts.
    fn number(&mut self, facts: Facts, tails: &Tails) -> State {
        const BITS: u32 = STATES.trailing_zeros();
        let small =
            u64::from(facts.file) << 32 ^ u64::from(facts.of.0).rotate_left(16) ^ u64::from(facts.newest.seen.bits());
        let hash = (facts.newest.from ^ small.rotate_left(24)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (known, state) = &mut self.known[(hash >> (64 - BITS)) as usize];
        if *known != facts {
            *known = facts;
            *state = State(self.count << 1 | u32::from(tails.is_in_doubt(facts.newest.seen)));
            self.count += 1;
        }
        *state
    }

    /// Forgets all states. No slot may have the number of a state.
    fn clear(&mut self) {
        self.known.fill(NO_FACTS);
        self.count = 0;
    }
}

/// Counts of branches.
///
/// In front of the rows stands a direct-mapped cache of raw addresses, as in front of the traces of a profile
/// ([`TraceTable`](crate::counting::trace::TraceTable)).
pub(crate) struct Table {
    slots: Box<[Slot; SLOTS]>,
    known: Box<[Known; SLOTS]>,
    states: States,
    sums: Sums,
    latest: Latest,
    /// File of the newest branch of the last stack.
    first_file: FileId,
}

/// Counts that are in no slot any more.
#[derive(Default)]
struct Sums {
    rows: Rows,
    tally: Tally,
}

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
            states: States::default(),
            sums: Sums::default(),
            latest: Latest::default(),
            first_file: NO_FILE,
        }
    }
}

impl Table {
    /// Counts the branches of a stack, the newest first.
    #[inline]
    pub(crate) fn count(&mut self, branches: impl Iterator<Item = Branch>, of: Of, spots: &mut Spots) {
        if self.sums.rows.are_many() || self.states.count > State::MANY {
            self.add_up();
        }
        let Self {
            slots,
            known: all_known,
            states,
            sums,
            latest,
            first_file,
        } = self;
        latest.stack += 1;
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
            let mut index = slot_of(branch, next.from, of);
            if state.is_in_doubt() {
                index = slot_in_doubt(index, newest.seen.bits());
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
                    index = slot_in_doubt(index, latest.seen(&known.sides));
                    (slot, known) = (&mut slots[index], &mut all_known[index]);
                    let is_known = slot.holds(branch) && known.is_for(end, of);
                    fits = is_known && latest.advance(branch.from.0, &known.sides, end);
                }
                if !fits {
                    let entry = Entry { branch, next: end, of };
                    sums.replace(entry, (slot, known), latest, spots);
                    slot.behind = states.behind(branch, known, &sums.rows.tails);
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
        self.states.clear();
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
    /// Makes the branch of a slot the newest branch of its files. Returns false, and changes nothing, if a newer
    /// branch is not the one of the last execution. `next` is as for [`Side::fits`].
    #[inline]
    fn advance(&mut self, from: u64, sides: &[Side; 2], next: u64) -> bool {
        let sides = sides.iter().filter(|side| side.file != NO_FILE);
        let fits = sides.clone().all(|side| side.fits(&self.of(side.file), next));
        if fits {
            sides.for_each(|side| self.set(side.file, side.newest(from)));
        }
        fits
    }
}

impl Latest {
    /// Returns a number that depends on the tails of the newest branches of the files.
    fn seen(&self, sides: &[Side; 2]) -> u32 {
        let [first, second] = sides.map(|side| self.of(side.file).seen.bits());
        first ^ second.rotate_left(16)
    }
}

impl States {
    /// Returns the state behind a branch. The next older branch is expected in the file of its source.
    fn behind(&mut self, branch: Branch, known: &Known, tails: &Tails) -> State {
        let [side, _] = &known.sides;
        if side.file == NO_FILE || crosses_kernel(branch) {
            return State::UNKNOWN;
        }
        let facts = Facts {
            newest: side.newest(branch.from.0),
            file: side.file,
            of: known.of,
        };
        self.number(facts, tails)
    }
}

impl Sums {
    /// Puts a branch that is in no slot into this slot. The state behind the branch is not known yet.
    fn replace(
        &mut self,
        entry: Entry,
        (slot, known): (&mut Slot, &mut Known),
        latest: &mut Latest,
        spots: &mut Spots,
    ) {
        self.settle(slot, known);
        let Entry { branch, next, of } = entry;
        let one = |side| [side, NO_SIDE];
        let sides = if branch.from.0 | branch.to.0 == 0 {
            one(lost(Loss::UnfilledSlot))
        } else {
            match (spots.find(branch.from), spots.find(branch.to)) {
                (Spot::In(file, from), Spot::In(other, to)) if file != other => [
                    self.touch(entry, file, (Some(from), None), latest, spots),
                    self.touch(entry, other, (None, Some(to)), latest, spots),
                ],
                (Spot::In(file, from), Spot::In(_, to)) => {
                    one(self.touch(entry, file, (Some(from), Some(to)), latest, spots))
                }
                (Spot::In(file, from), Spot::Elsewhere(_)) => {
                    one(self.touch(entry, file, (Some(from), None), latest, spots))
                }
                (Spot::Elsewhere(_), Spot::In(file, to)) => {
                    one(self.touch(entry, file, (None, Some(to)), latest, spots))
                }
                (Spot::Elsewhere(Loss::OtherMemory), _) | (_, Spot::Elsewhere(Loss::OtherMemory)) => {
                    one(lost(Loss::OtherMemory))
                }
                (Spot::Elsewhere(_), Spot::Elsewhere(_)) => one(lost(Loss::Unmapped)),
            }
        };
        *slot = Slot {
            from: branch.from.0,
            to: branch.to.0,
            seen: sides[0].seen,
            ..EMPTY
        };
        *known = Known { next, of, sides };
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
        let crosses_kernel = crosses_kernel(branch);
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
            newer: if is_long && newer.from == next && next != 0 {
                TailId::NONE
            } else {
                newer.seen
            },
            seen: self.rows.tails.seen_from_behind(kind, ends, tail),
            row,
            file,
        };
        latest.set(file, side.newest(branch.from.0));
        side
    }

    /// Moves the counts of a slot to the rows. The slot has no counts afterwards.
    fn settle(&mut self, slot: &mut Slot, known: &Known) {
        let counts = std::mem::replace(&mut slot.counts, SmallCounts::NONE).whole();
        if counts.count == 0 {
            return;
        }
        let [first, second] = &known.sides;
        if first.file == NO_FILE {
            self.tally.add(Loss::ALL[first.row as usize], counts.count);
            return;
        }
        self.rows.add(first.row, counts);
        if second.file != NO_FILE {
            self.rows.add(second.row, counts);
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
fn slot_in_doubt(index: usize, seen: u32) -> usize {
    (index ^ seen.wrapping_mul(0x9e37_79b9) as usize) % SLOTS
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

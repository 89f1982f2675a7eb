//! Finds the branches at which the run after a branch may have ended, as far as they are known without the
//! binary.
//!
//! A run ends at the source of the next newer branch that counts for the same binary. A branch counts if one
//! of its ends is an instruction of the file, and only a reader with the binary knows this. Most stubs of a
//! `.plt`, padding before functions and code that a kernel put in while it ran are not instructions of the
//! file. A branch between two such places does not count, so the run goes on across it. Therefore a row names
//! the next newer branches that perhaps do not count, up to the first branch that surely counts: its source
//! ends the run.
//!
//! Distances decide which branches surely count. A stub is short, so a branch whose source lies farther than
//! [`NEAR`] after the beginning of the run is not in a stub. The reader of the rows has the binary, and
//! finds out whether this was right (`input/traces`).

use std::cmp::Ordering;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use traceshard::{BinaryKind, Ends};

use crate::gather::places::{PlaceId, Places};

/// Greatest size of a stub in bytes. Stubs of a `.plt` have at most 32 bytes (x86 with retpolines, AArch64
/// with BTI), and the padding before a function that a kernel jumps into has fewer.
const NEAR: u64 = 32;

/// Greatest size of the padding, in bytes, that checks before a function jump across (Linux:
/// CONFIG_FUNCTION_ALIGNMENT_64B).
const SHORT_JUMP: u64 = 64;

/// Most branches that one row names. Chains of stubs are never longer.
const MAX_VIA: u32 = 64;

/// Most branches of a loop of stubs that is recognised as a loop.
const MAX_LOOP: usize = 4;

/// The end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    /// The run ended at this address of the file.
    At(u64),
    /// The run ended outside of the file: the next newer branch came from there.
    Outside,
    /// The end is not known, because no newer branch touches the file.
    Unknown,
}

impl End {
    /// Returns the address at which the run ended, if the run ended in the file.
    fn address(self) -> Option<u64> {
        match self {
            Self::At(address) => Some(address),
            Self::Outside | Self::Unknown => None,
        }
    }
}

/// The possible ends of the run after a branch, in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    /// The run ended here.
    Run(End),
    /// The run ended at this branch if the branch counts. If it does not count, the other tail holds.
    Via(Ends, TailId),
}

/// The number of a tail. The number itself states the end of most runs, and then needs no note in [`Tails`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TailId(u32);

/// Numbers from here on stand for notes of [`Tails`].
const NOTED: u32 = 1 << 31;

impl TailId {
    /// Stands for the tail of a branch if no newer branch is known.
    pub(crate) const UNKNOWN: Self = Self(NOTED - 1);
    const OUTSIDE: Self = Self(NOTED - 2);
    /// Stands for the absence of a tail. No tail has this number.
    pub(crate) const NONE: Self = Self(u32::MAX);

    fn of_run(end: End) -> Option<Self> {
        match end {
            End::At(address) => u32::try_from(address).ok().map(Self).filter(|id| *id < Self::OUTSIDE),
            End::Outside => Some(Self::OUTSIDE),
            End::Unknown => Some(Self::UNKNOWN),
        }
    }

    /// Returns the end of the run, if the number states it; `None` if the tail is a note.
    fn run(self) -> Option<End> {
        (self.0 < NOTED).then_some(match self {
            Self::OUTSIDE => End::Outside,
            Self::UNKNOWN => End::Unknown,
            Self(address) => End::At(u64::from(address)),
        })
    }

    /// Returns the number of a note.
    fn of_note(note: usize) -> Self {
        let note = u32::try_from(note).ok().filter(|note| *note < NOTED - 1);
        Self(NOTED + note.unwrap_or_else(|| unreachable!("fewer rows than that are kept")))
    }

    /// Returns all bits of the number.
    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// Returns the index of the note in [`Tails`], for a number for which [`run`](Self::run) returns `None`.
    fn note(self) -> usize {
        (self.0 - NOTED) as usize
    }

    /// Returns true if the number stands for a note.
    #[inline]
    fn is_noted(self) -> bool {
        self.0 >= NOTED
    }
}

/// A tail as it is kept. Four notes fit into a line of the processor's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Note {
    /// Source and target of the branch of [`Tail::Via`]. The source is the end of the run of [`Tail::Run`].
    from: PlaceId,
    to: PlaceId,
    /// The tail that holds if the branch does not count. [`TailId::NONE`] for [`Tail::Run`].
    next: TailId,
    /// Number of branches that the tail names.
    branches: u32,
}

const _: () = assert!(size_of::<Note>() == 16);

impl Note {
    /// Returns a hash whose bits, the lowest and the highest included, depend on the whole note.
    #[inline]
    fn hash(&self) -> u64 {
        let ends = u64::from(self.from.bits()) << 32 | u64::from(self.to.bits());
        let product = u128::from(ends ^ 0x9e37_79b9_7f4a_7c15)
            * u128::from(u64::from(self.next.0).wrapping_mul(0xd1b5_4a32_d192_ed03) | 1);
        (product as u64 ^ (product >> 64) as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(32)
    }
}

/// All tails that were found and whose number does not state the end of the run. Equal tails have one number.
/// A tail has a higher number than the tail that it goes on with.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    pub places: Places,
    noted: Vec<Note>,
    /// Numbers of the tails, by the hash of the note.
    numbers: HashTable<TailId>,
}

impl Tails {
    fn number(&mut self, tail: Tail) -> TailId {
        if let Tail::Run(end) = tail
            && let Some(number) = TailId::of_run(end)
        {
            return number;
        }
        let note = match tail {
            Tail::Run(end) => Note {
                from: self.places.number(end.address()),
                to: PlaceId::NONE,
                next: TailId::NONE,
                branches: 0,
            },
            Tail::Via((from, to), next) => Note {
                from: self.places.number(from),
                to: self.places.number(to),
                next,
                branches: self.branches(next) + 1,
            },
        };
        self.number_of(note)
    }

    /// Returns the number of a note. Adds the note if there is none.
    fn number_of(&mut self, note: Note) -> TailId {
        let Self { noted, numbers, .. } = self;
        let is_same = |number: &TailId| noted[number.note()] == note;
        match numbers.entry(note.hash(), is_same, |number| noted[number.note()].hash()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let number = TailId::of_note(noted.len());
                place.insert(number);
                noted.push(note);
                number
            }
        }
    }

    fn get(&self, number: TailId) -> Tail {
        if let Some(end) = number.run() {
            return Tail::Run(end);
        }
        let Note { from, to, next, .. } = self.noted[number.note()];
        let from = self.places.address(from);
        if next == TailId::NONE {
            Tail::Run(from.map_or(End::Outside, End::At))
        } else {
            Tail::Via((from, self.places.address(to)), next)
        }
    }

    /// Returns the number of branches that a tail names.
    fn branches(&self, number: TailId) -> u32 {
        if number.is_noted() {
            self.noted[number.note()].branches
        } else {
            0
        }
    }

    /// Returns true if a tail names branches that perhaps do not count. Returns false if it names one such branch
    /// and the run ended outside of the file, because nearly every call of another file has such a tail.
    pub(crate) fn is_in_doubt(&self, number: TailId) -> bool {
        number.is_noted() && !matches!(self.get(number), Tail::Via(_, TailId::OUTSIDE))
    }

    /// Returns the number of notes about tails or about places, whichever is greater.
    pub(crate) fn len(&self) -> usize {
        self.noted.len().max(self.places.len())
    }

    /// Returns the tail of the next older branch of the file up to this branch. `tail` is the tail of this
    /// branch. If this branch may not belong to the binary, the result names its ends and goes on with its
    /// tail. Otherwise the result only says that the run ends at the source of this branch.
    pub(crate) fn seen_from_behind(&mut self, kind: BinaryKind, ends: Ends, tail: TailId) -> TailId {
        if self.is_doubtful(kind, ends, tail) {
            self.number(Tail::Via(ends, tail))
        } else {
            self.ending_at(ends)
        }
    }

    /// Returns the tail of a branch whose ends in a file are `own`. `newer` is the result of
    /// [`seen_from_behind`](Self::seen_from_behind) for the next newer branch there. Also returns true if the
    /// run is so long that it ends at the source of the newer branch, even if the newer branch does not
    /// belong to the binary.
    pub(crate) fn behind(&mut self, own: Ends, newer: TailId) -> (TailId, bool) {
        let Tail::Via(ends, tail) = self.get(newer) else {
            return (newer, false);
        };
        let is_long = is_long(own, ends);
        // If the own branch counts, an equal branch counts, too.
        if is_long || ends == own || self.branches(tail) >= MAX_VIA {
            return (self.ending_at(ends), is_long);
        }
        let tail = self.up_to(own, tail);
        (self.number(Tail::Via(ends, tail)), false)
    }

    /// Returns the tail of a run that ends at a branch with these ends.
    fn ending_at(&mut self, (from, _): Ends) -> TailId {
        self.number(Tail::Run(from.map_or(End::Outside, End::At)))
    }

    /// Returns true if a branch may not belong to the binary, provided that the run before it is short.
    fn is_doubtful(&self, kind: BinaryKind, (from, to): Ends, tail: TailId) -> bool {
        let Some(to) = to else {
            return true;
        };
        let behind = self.get(tail);
        let next = match behind {
            Tail::Run(end) => end,
            Tail::Via((from, _), _) => from.map_or(End::Outside, End::At),
        };
        let short_run = match next {
            End::At(next) => is_near(to, next),
            End::Outside => false,
            End::Unknown => true,
        };
        if kind == BinaryKind::User {
            // Stubs of a program jump to each other until one of them leaves the file.
            return short_run && (next == End::Unknown || matches!(behind, Tail::Via(..)));
        }
        short_run || from.is_some_and(|from| (1..SHORT_JUMP).contains(&to.wrapping_sub(from)))
    }

    /// Cuts a tail where it names `own`: if the own branch counts, this branch counts, too. So a loop of
    /// short runs is one row.
    fn up_to(&mut self, own: Ends, tail: TailId) -> TailId {
        let mut before = [(None, None); MAX_LOOP];
        let mut next = tail;
        for index in 0..MAX_LOOP {
            match self.get(next) {
                Tail::Via(ends, _) if ends == own => {
                    let mut short = self.ending_at(own);
                    for ends in before[..index].iter().rev() {
                        short = self.number(Tail::Via(*ends, short));
                    }
                    return short;
                }
                Tail::Via(ends, behind) => {
                    before[index] = ends;
                    next = behind;
                }
                Tail::Run(_) => break,
            }
        }
        tail
    }

    /// Adds the notes of `other`. Returns the numbers here of these notes.
    pub(crate) fn adopt(&mut self, other: &Self) -> Adopted {
        let mut adopted = Adopted {
            places: self.places.adopt(&other.places),
            tails: Vec::with_capacity(other.noted.len()),
        };
        for note in &other.noted {
            let number = self.number_of(Note {
                from: adopted.place(note.from),
                to: adopted.place(note.to),
                next: adopted.tail(note.next),
                branches: note.branches,
            });
            adopted.tails.push(number);
        }
        adopted
    }

    /// Returns the end of the run if none of the branches that a tail names counts. Puts these branches into `via`.
    pub(crate) fn expand(&self, mut tail: TailId, via: &mut Vec<Ends>) -> End {
        via.clear();
        loop {
            match self.get(tail) {
                Tail::Run(end) => return end,
                Tail::Via(ends, next) => {
                    via.push(ends);
                    tail = next;
                }
            }
        }
    }

    /// Orders tails by what they name. The order does not depend on the numbers of notes.
    pub(crate) fn order(&self, mut a: TailId, mut b: TailId) -> Ordering {
        while a != b {
            match (self.get(a), self.get(b)) {
                (Tail::Via(one, behind), Tail::Via(other, behind_other)) => {
                    if one != other {
                        return one.cmp(&other);
                    }
                    (a, b) = (behind, behind_other);
                }
                (Tail::Run(one), Tail::Run(other)) => return one.cmp(&other),
                (Tail::Run(_), Tail::Via(..)) => return Ordering::Less,
                (Tail::Via(..), Tail::Run(_)) => return Ordering::Greater,
            }
        }
        Ordering::Equal
    }
}

/// The numbers that notes of other [`Tails`] got here.
pub(crate) struct Adopted {
    places: Vec<PlaceId>,
    tails: Vec<TailId>,
}

impl Adopted {
    /// Returns the number here of a tail.
    #[inline]
    pub(crate) fn tail(&self, other: TailId) -> TailId {
        if other.is_noted() && other != TailId::NONE {
            self.tails[other.note()]
        } else {
            other
        }
    }

    /// Returns the number here of a place.
    #[inline]
    pub(crate) fn place(&self, other: PlaceId) -> PlaceId {
        Places::adopted(other, &self.places)
    }
}

/// Returns true if the run after `own` is so long that it ends at the source of `newer`, whatever the target
/// of `newer` is.
fn is_long(own: Ends, newer: Ends) -> bool {
    newer
        .0
        .is_some_and(|end| !own.1.is_some_and(|start| is_near(start, end)))
}

/// Returns true if a run from `start` to `end` may lie within a stub.
fn is_near(start: u64, end: u64) -> bool {
    end.wrapping_sub(start) < NEAR
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the possible ends of the run after the oldest of these branches, which are given newest
    /// first.
    fn behind(branches: &[(u64, u64)]) -> (Vec<Ends>, End) {
        behind_in(BinaryKind::User, branches)
    }

    fn behind_in(kind: BinaryKind, branches: &[(u64, u64)]) -> (Vec<Ends>, End) {
        let inside = |address| Some(address).filter(|address| *address < 0x1000);
        let mut tails = Tails::default();
        let (mut newer, mut tail) = (TailId::UNKNOWN, TailId::UNKNOWN);
        for &(from, to) in branches {
            let own = (inside(from), inside(to));
            if own == (None, None) {
                continue;
            }
            (tail, _) = tails.behind(own, newer);
            newer = tails.seen_from_behind(kind, own, tail);
        }
        let mut via = Vec::new();
        let end = tails.expand(tail, &mut via);
        (via, end)
    }

    #[test]
    fn a_long_run_ends_at_the_next_branch() {
        assert_eq!(behind(&[(0x200, 0x300), (0x10, 0x100)]), (vec![], End::At(0x200)));
        assert_eq!(behind(&[(0x200, 0x9000), (0x10, 0x100)]), (vec![], End::At(0x200)));
    }

    #[test]
    fn a_stub_is_passed_by() {
        // The branches are a call of a stub, which jumps out, the return, and a branch of the program itself.
        let branches = [(0x180, 0x100), (0x9010, 0x115), (0x804, 0x9000), (0x110, 0x800)];
        let via = vec![(Some(0x804), None)];
        assert_eq!(behind(&branches), (via, End::Outside));
    }

    #[test]
    fn stubs_of_a_program_go_on_until_one_leaves_it() {
        let branches = [(0x500, 0x600), (0x200, 0x300), (0x110, 0x1f8), (0x10, 0x108)];
        assert_eq!(behind(&branches), (vec![], End::At(0x110)));
        let via = vec![(Some(0x110), Some(0x1f8))];
        assert_eq!(behind_in(BinaryKind::Kernel, &branches), (via, End::At(0x200)));
        // A stub that is not bound yet jumps to its second half, the second half jumps to the first stub, and
        // this stub leaves the file.
        let branches = [(0x806, 0x9000), (0x82b, 0x800), (0x820, 0x826), (0x110, 0x820)];
        let via = vec![
            (Some(0x820), Some(0x826)),
            (Some(0x82b), Some(0x800)),
            (Some(0x806), None),
        ];
        assert_eq!(behind(&branches), (via, End::Unknown));
    }

    #[test]
    fn a_loop_of_short_runs_is_one_row() {
        assert_eq!(behind(&[(0x108, 0x100), (0x108, 0x100)]), (vec![], End::At(0x108)));
        let (inner, outer) = ((0x108, 0x104), (0x110, 0x100));
        let via = vec![(Some(0x108), Some(0x104))];
        for turns in 2..6 {
            let branches = [inner, outer].repeat(turns);
            assert_eq!(behind(&branches), (via.clone(), End::At(0x110)), "{turns} turns");
        }
    }

    #[test]
    fn nothing_newer_is_not_known() {
        assert_eq!(behind(&[(0x108, 0x100)]), (vec![], End::Unknown));
        // A branch from outside after which the run does not go on may not be a branch of the file.
        let via = vec![(None, Some(0x700))];
        assert_eq!(behind(&[(0x9000, 0x700), (0x108, 0x9100)]), (via, End::Unknown));
    }
}

//! Where the run behind a branch may have ended, as far as that is known without the binary.
//!
//! A run ends at the source of the next newer branch of the same binary. Which branches are the binary's is known only with it: a branch
//! counts if one of its ends is an instruction. Most stubs of a `.plt`, padding before functions and code that a kernel put in while
//! it ran are no instructions of the file, and a branch between two such places is none of the binary's, so that the run goes on across it.
//! So a row names the branches that may turn out so, each after the other, up to the first one that can be none: its source ends the run.
//!
//! What can be none is decided by distances. A stub is short, so a branch whose source lies farther than [`NEAR`] behind where the run began
//! is in proper code. Whoever reads the rows has the binary, and finds out whether that was right (`input/traces`).

use rustc_hash::FxHashMap;
use traceshard::Ends;

use crate::gather::files::FileId;
use crate::gather::spots::Spot;

/// Stubs of a `.plt` have 32 bytes at most (x86 with retpolines, AArch64 with BTI), and the padding before a function that a kernel jumps
/// in has fewer.
const NEAR: u64 = 32;

/// Checks before a function jump into it across padding of 64 bytes at most (Linux: CONFIG_FUNCTION_ALIGNMENT_64B).
const SHORT_JUMP: u64 = 64;

/// So many branches of one row are named. No stubs follow each other in longer chains.
const MAX_VIA: u32 = 64;

/// A loop of stubs that is longer than this is not recognised as one.
const MAX_LOOP: usize = 4;

/// Where a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum End {
    /// At this place of the file.
    At(u64),
    /// Somewhere outside: the next newer branch came from there.
    Outside,
    /// That is not known: no newer branch touches the file.
    Unknown,
}

/// The number of a tail.
pub(crate) type TailId = u32;

/// Nothing newer is known.
pub(crate) const NO_TAIL: TailId = 0;

/// What is behind a branch, in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tail {
    /// The run ended here.
    Run(End),
    /// It ended at this branch, unless that is none; then what follows holds.
    Via(Ends, TailId),
}

/// All tails that were met. Equal ones have one number, and a tail has a higher one than what it goes on with.
#[derive(Debug)]
pub(crate) struct Tails {
    /// With how many branches each names.
    known: Vec<(Tail, u32)>,
    numbers: FxHashMap<Tail, TailId>,
}

impl Default for Tails {
    fn default() -> Self {
        let unknown = Tail::Run(End::Unknown);
        Self {
            known: vec![(unknown, 0)],
            numbers: FxHashMap::from_iter([(unknown, NO_TAIL)]),
        }
    }
}

impl Tails {
    fn number(&mut self, tail: Tail) -> TailId {
        if let Some(known) = self.numbers.get(&tail) {
            return *known;
        }
        let length = match tail {
            Tail::Run(_) => 0,
            Tail::Via(_, next) => self.known[next as usize].1 + 1,
        };
        let number =
            TailId::try_from(self.known.len()).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
        self.known.push((tail, length));
        self.numbers.insert(tail, number);
        number
    }

    fn run(&mut self, end: End) -> TailId {
        self.number(Tail::Run(end))
    }

    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }

    /// What is behind a branch whose ends in a file are `own`, if `newer` is the next newer branch there, with `tail` behind it.
    fn behind(&mut self, own: Ends, newer: Ends, tail: TailId) -> TailId {
        let end = newer.0.map_or(End::Outside, End::At);
        // If the own branch counts, so does this.
        if newer == own || !self.may_be_none(own.1, newer, tail) || self.known[tail as usize].1 >= MAX_VIA {
            return self.run(end);
        }
        let tail = self.up_to(own, tail);
        self.number(Tail::Via(newer, tail))
    }

    /// Whether `newer`, behind a run that begins at `start`, may be none of the binary's branches.
    fn may_be_none(&self, start: Option<u64>, (from, to): Ends, tail: TailId) -> bool {
        let near = match (start, from) {
            (Some(start), Some(from)) => is_near(start, from),
            _ => false,
        };
        let next = match self.known[tail as usize].0 {
            Tail::Run(end) => end,
            Tail::Via((from, _), _) => from.map_or(End::Outside, End::At),
        };
        let short_run = to.is_some_and(|to| match next {
            End::At(next) => is_near(to, next),
            End::Outside => false,
            End::Unknown => true,
        });
        match (from, to) {
            (Some(from), Some(to)) => near && (short_run || (1..SHORT_JUMP).contains(&to.wrapping_sub(from))),
            (Some(_), None) => near,
            (None, _) => short_run,
        }
    }

    /// A tail up to where it names `own`: if the own branch counts, so does that one. So a loop of short runs is one row.
    fn up_to(&mut self, own: Ends, tail: TailId) -> TailId {
        let mut before = [(None, None); MAX_LOOP];
        let mut next = tail;
        for index in 0..MAX_LOOP {
            match self.known[next as usize].0 {
                Tail::Via(ends, _) if ends == own => {
                    let mut short = self.run(own.0.map_or(End::Outside, End::At));
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

    /// The numbers that the tails of `other` have here.
    pub(crate) fn adopt(&mut self, other: &Self) -> Vec<TailId> {
        let mut numbers: Vec<TailId> = Vec::with_capacity(other.known.len());
        for (tail, _) in &other.known {
            let own = match *tail {
                Tail::Via(ends, next) => Tail::Via(ends, numbers[next as usize]),
                run @ Tail::Run(_) => run,
            };
            numbers.push(self.number(own));
        }
        numbers
    }

    /// The branches that a tail names, and the end of the run if they are none.
    pub(crate) fn expand(&self, mut tail: TailId) -> (Vec<Ends>, End) {
        let mut via = Vec::new();
        loop {
            match self.known[tail as usize].0 {
                Tail::Run(end) => return (via, end),
                Tail::Via(ends, next) => {
                    via.push(ends);
                    tail = next;
                }
            }
        }
    }
}

/// Whether a run from `start` to `end` may be within a stub.
#[inline]
pub(crate) fn is_near(start: u64, end: u64) -> bool {
    end.wrapping_sub(start) < NEAR
}

/// No link.
const NONE: u32 = u32::MAX;

/// A branch of a stack, as recorded and as found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touch {
    pub from: u64,
    pub to: u64,
    pub from_spot: Spot,
    pub to_spot: Spot,
    /// What is behind it in the file of the source, and in that of the destination.
    pub tails: [TailId; 2],
    /// The next newer branch that has an end in the file of the source, and in that of the destination.
    links: [u32; 2],
}

impl Touch {
    /// Whether it has an end in `file`.
    pub(crate) fn is_in(&self, file: FileId) -> bool {
        self.from_spot.in_file(file).is_some() || self.to_spot.in_file(file).is_some()
    }

    fn ends_in(&self, file: FileId) -> Ends {
        (self.from_spot.in_file(file), self.to_spot.in_file(file))
    }

    /// Which of the two the file is.
    fn side(&self, file: FileId) -> usize {
        usize::from(self.from_spot.in_file(file).is_none())
    }
}

/// The branches of a stack so far, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    touches: Vec<Touch>,
    /// By file: the stack in which it was touched last, and the number of the branch that did.
    latest: Vec<(u64, u32)>,
    number: u64,
}

impl Stack {
    /// Begins another stack.
    #[inline]
    pub(crate) fn begin(&mut self) {
        self.touches.clear();
        self.number += 1;
    }

    /// The branch that was added last.
    #[inline]
    pub(crate) fn last(&self) -> Option<&Touch> {
        self.touches.last()
    }

    /// Adds the next older branch, of which is known what is behind it. As a call it would take a third of the time of a collection: what
    /// was stored in parts is then loaded as a whole.
    #[inline(always)]
    pub(crate) fn push_known(&mut self, from: u64, to: u64, from_spot: Spot, to_spot: Spot, tails: [TailId; 2]) {
        let number = u32::try_from(self.touches.len()).unwrap_or(NONE);
        let mut link = |spot: Spot| match spot {
            Spot::In(file, _) => self.replace_latest(file, number),
            Spot::Elsewhere(_) => NONE,
        };
        let source = link(from_spot);
        let destination = match (from_spot, to_spot) {
            (Spot::In(from, _), Spot::In(to, _)) if from == to => source,
            _ => link(to_spot),
        };
        self.touches.push(Touch {
            from,
            to,
            from_spot,
            to_spot,
            tails,
            links: [source, destination],
        });
    }

    /// Adds the next older branch, and finds out what is behind it in the file of its source and in that of its destination.
    pub(crate) fn push(
        &mut self,
        from: u64,
        to: u64,
        from_spot: Spot,
        to_spot: Spot,
        known: &mut Tails,
    ) -> [TailId; 2] {
        self.push_known(from, to, from_spot, to_spot, [NO_TAIL; 2]);
        let Some(own) = self.touches.last().copied() else {
            return [NO_TAIL; 2];
        };
        let mut tail = |spot: Spot| {
            let Spot::In(file, _) = spot else { return NO_TAIL };
            let Some(newer) = self.touches.get(own.links[own.side(file)] as usize) else {
                return NO_TAIL;
            };
            known.behind(own.ends_in(file), newer.ends_in(file), newer.tails[newer.side(file)])
        };
        let source = tail(from_spot);
        let same_file = matches!((from_spot, to_spot), (Spot::In(a, _), Spot::In(b, _)) if a == b);
        let tails = [source, if same_file { source } else { tail(to_spot) }];
        if let Some(own) = self.touches.last_mut() {
            own.tails = tails;
        }
        tails
    }

    #[inline]
    fn replace_latest(&mut self, file: FileId, number: u32) -> u32 {
        let index = file as usize;
        if index >= self.latest.len() {
            self.latest.resize(index + 1, (0, NONE));
        }
        let (stack, latest) = std::mem::replace(&mut self.latest[index], (self.number, number));
        if stack == self.number { latest } else { NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use traceshard::Loss;

    fn spot(address: u64) -> Spot {
        if address < 0x1000 {
            Spot::In(0, address)
        } else {
            Spot::Elsewhere(Loss::Unmapped)
        }
    }

    /// What is behind the oldest of these branches, which are given newest first.
    fn behind(branches: &[(u64, u64)]) -> (Vec<Ends>, End) {
        let (mut stack, mut tails) = (Stack::default(), Tails::default());
        stack.begin();
        let mut last = [NO_TAIL; 2];
        for &(from, to) in branches {
            last = stack.push(from, to, spot(from), spot(to), &mut tails);
        }
        let side = usize::from(branches.last().is_some_and(|(from, _)| *from >= 0x1000));
        tails.expand(last[side])
    }

    #[test]
    fn a_long_run_ends_at_the_next_branch() {
        assert_eq!(behind(&[(0x200, 0x300), (0x10, 0x100)]), (vec![], End::At(0x200)));
        assert_eq!(behind(&[(0x200, 0x9000), (0x10, 0x100)]), (vec![], End::At(0x200)));
    }

    #[test]
    fn a_stub_is_passed_by() {
        // A call of a stub, which jumps out; the way back, and a proper branch.
        let branches = [(0x180, 0x100), (0x9010, 0x115), (0x804, 0x9000), (0x110, 0x800)];
        let via = vec![(Some(0x804), None)];
        assert_eq!(behind(&branches), (via, End::Outside));
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
        // What comes from outside and does not go on may be no branch of the file.
        let via = vec![(None, Some(0x700))];
        assert_eq!(behind(&[(0x9000, 0x700), (0x108, 0x9100)]), (via, End::Unknown));
    }
}

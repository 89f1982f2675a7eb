//! Where the run behind a branch may have ended, as far as that is known without the binary.
//!
//! A run ends at the source of the next newer branch of the same binary. Which branches are the binary's is known only with it: a branch
//! counts if one of its ends is an instruction. Most stubs of a `.plt`, padding before functions and code that a kernel put in while
//! it ran are no instructions of the file, and a branch between two such places is none of the binary's, so that the run goes on across it.
//! So a row names the branches that may turn out so, each after the other, up to the first one that can be none: its source ends the run.
//!
//! What can be none is decided by distances. A stub is short, so a branch whose source lies farther than [`NEAR`] behind where the run began
//! is in proper code. Whoever reads the rows has the binary, and finds out whether that was right (`input/traces`).

use traceshard::Ends;

use crate::gather::files::FileId;
use crate::gather::spots::Spot;

/// Stubs of a `.plt` have 32 bytes at most (x86 with retpolines, AArch64 with BTI), and the padding before a function that a kernel jumps
/// in has fewer.
const NEAR: u64 = 32;

/// Checks before a function jump into it across padding of 64 bytes at most (Linux: CONFIG_FUNCTION_ALIGNMENT_64B).
const SHORT_JUMP: u64 = 64;

/// So many branches of one row are named. No stubs follow each other in longer chains.
const MAX_VIA: usize = 64;

/// No link.
const NONE: u32 = u32::MAX;

/// A branch of a stack, as recorded and as found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Touch {
    pub from: u64,
    pub to: u64,
    pub from_spot: Spot,
    pub to_spot: Spot,
    /// The next newer branch that has an end in the file of the source, and in that of the destination.
    links: [u32; 2],
    /// The run behind it is so short that it may be that of a stub.
    short_run: bool,
}

impl Touch {
    /// Whether both ends are in one file, and in which.
    #[inline]
    pub(crate) fn inside(&self) -> Option<FileId> {
        match (self.from_spot, self.to_spot) {
            (Spot::In(from, _), Spot::In(to, _)) if from == to => Some(from),
            _ => None,
        }
    }

    fn ends_in(&self, file: FileId) -> Ends {
        (self.from_spot.in_file(file), self.to_spot.in_file(file))
    }

    fn link(&self, file: FileId) -> u32 {
        match self.from_spot {
            Spot::In(own, _) if own == file => self.links[0],
            _ => self.links[1],
        }
    }

    fn jumps_shortly(&self) -> bool {
        (1..SHORT_JUMP).contains(&self.to.wrapping_sub(self.from))
    }
}

/// Whether a run from `start` to `end` may be within a stub.
#[inline]
fn is_near(start: u64, end: u64) -> bool {
    end.wrapping_sub(start) < NEAR
}

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

/// The branches of a stack so far, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Stack {
    touches: Vec<Touch>,
    /// By file: the stack in which it was touched last, and the number of the branch that did.
    latest: Vec<(u64, u32)>,
    number: u64,
}

/// What is known of a run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quick {
    /// The newer branch ends it if both are in one file.
    EndsAt(u64),
    /// The branches before have to be looked at.
    Look,
}

impl Stack {
    /// Begins another stack.
    pub(crate) fn begin(&mut self) {
        self.touches.clear();
        self.number += 1;
    }

    /// Tells what needs no search: in most stacks most runs are long.
    #[inline]
    pub(crate) fn quick(&self, from: u64, to: u64) -> Quick {
        let Some(newer) = self.touches.last() else {
            return Quick::Look;
        };
        let certain = !is_near(to, newer.from)
            || (from, to) == (newer.from, newer.to)
            || newer.inside().is_some() && !newer.short_run && !newer.jumps_shortly();
        if certain {
            Quick::EndsAt(newer.from)
        } else {
            Quick::Look
        }
    }

    /// Where the newer branch starts, if that is in `file`.
    #[inline]
    pub(crate) fn newer_source(&self, file: FileId) -> Option<u64> {
        self.touches.last()?.from_spot.in_file(file)
    }

    /// Adds the next older branch.
    #[inline]
    pub(crate) fn push(&mut self, from: u64, to: u64, from_spot: Spot, to_spot: Spot) {
        // The newest run is not known, and neither is one that goes on in another file.
        let short_run = self.touches.last().is_none_or(|newer| is_near(to, newer.from));
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
            links: [source, destination],
            short_run,
        });
    }

    fn replace_latest(&mut self, file: FileId, number: u32) -> u32 {
        let index = file as usize;
        if index >= self.latest.len() {
            self.latest.resize(index + 1, (0, NONE));
        }
        let (stack, latest) = std::mem::replace(&mut self.latest[index], (self.number, number));
        if stack == self.number { latest } else { NONE }
    }

    fn touch(&self, number: u32) -> Option<&Touch> {
        self.touches.get(number as usize)
    }

    /// For the branch that was added last: where the run behind it ended in `file`, if no branch in `via` did.
    pub(crate) fn end_in(&self, file: FileId, via: &mut Vec<Ends>) -> End {
        via.clear();
        let Some(own) = self.touches.last() else {
            return End::Unknown;
        };
        // Where the run begins, if that is in the file.
        let mut start = own.to_spot.in_file(file).map(|_| own.to);
        let mut number = own.link(file);
        while let Some(branch) = self.touch(number) {
            let ends @ (from, to) = branch.ends_in(file);
            let end = from.map_or(End::Outside, End::At);
            if (branch.from, branch.to) == (own.from, own.to) {
                // If the own branch counts, so does this.
                return end;
            }
            let newer = self.touch(branch.link(file));
            let short_run = to.is_some()
                && newer.is_none_or(|newer| newer.from_spot.in_file(file).is_some() && is_near(branch.to, newer.from));
            let near = from.is_some() && start.is_some_and(|start| is_near(start, branch.from));
            let may_be_none = match (from, to) {
                (Some(_), Some(_)) => near && (short_run || branch.jumps_shortly()),
                (Some(_), None) => near,
                (None, _) => short_run,
            };
            if !may_be_none || via.len() == MAX_VIA {
                return end;
            }
            // One that comes again is no branch of the binary again.
            if !via.contains(&ends) {
                via.push(ends);
            }
            start = to.map(|_| branch.to);
            number = branch.link(file);
        }
        End::Unknown
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

    /// The run behind the oldest of these branches, which are given newest first.
    fn run(branches: &[(u64, u64)]) -> (End, Vec<Ends>) {
        let (mut stack, mut via) = (Stack::default(), Vec::new());
        stack.begin();
        for &(from, to) in branches {
            stack.push(from, to, spot(from), spot(to));
        }
        (stack.end_in(0, &mut via), via)
    }

    #[test]
    fn a_long_run_ends_at_the_next_branch() {
        assert_eq!(run(&[(0x200, 0x300), (0x10, 0x100)]), (End::At(0x200), vec![]));
        assert_eq!(run(&[(0x200, 0x9000), (0x10, 0x100)]), (End::At(0x200), vec![]));
    }

    #[test]
    fn a_stub_is_passed_by() {
        // A call of a stub, which jumps out; the way back, and a proper branch.
        let branches = [(0x180, 0x100), (0x9010, 0x115), (0x804, 0x9000), (0x110, 0x800)];
        let via = vec![(Some(0x804), None)];
        assert_eq!(run(&branches), (End::Outside, via));
    }

    #[test]
    fn the_first_branch_again_ends_the_run() {
        assert_eq!(run(&[(0x108, 0x100), (0x108, 0x100)]), (End::At(0x108), vec![]));
    }

    #[test]
    fn nothing_newer_is_not_known() {
        assert_eq!(run(&[(0x108, 0x100)]), (End::Unknown, vec![]));
        // What comes from outside and does not go on may be no branch of the file.
        let via = vec![(None, Some(0x700))];
        assert_eq!(run(&[(0x9000, 0x700), (0x108, 0x9100)]), (End::Unknown, via));
    }
}

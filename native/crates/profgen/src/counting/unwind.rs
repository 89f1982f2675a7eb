//! Branch stack and call stack of a sample, walked in step: which calls each run and each branch was behind.
//!
//! The call stack was taken when the newest branch had been, so the walk goes back in time: behind a call the frame of the
//! callee goes, behind a return it comes back (llvm-profgen: `VirtualUnwinder`).

use std::hash::BuildHasher;

use elf::{Code, InstructionClass, Svma};
use rustc_hash::FxBuildHasher;

use crate::counting::context_counts::{ContextCounts, Doubts, PathId, add};
use crate::counting::counter::EXTERNAL;

/// Counts a sample: its branch entries, the newest first, and its frames, the innermost first, of which all but that are the calls in
/// progress. Ends that are no code of the binary are [`EXTERNAL`]. Nothing, if one of the two is empty.
pub(crate) fn unwind(
    counts: &mut ContextCounts,
    code: &Code<'_>,
    branches: &[(Svma, Svma)],
    frames: &[Svma],
    times: u64,
) {
    let (Some(&(_, newest)), false) = (branches.first(), frames.is_empty()) else {
        return;
    };
    let mut stack = CallStack::default();
    frames[1..].iter().rev().for_each(|&frame| stack.push(frame));
    stack.push(newest);
    let mut walk = Walk {
        code,
        counts,
        stack,
        here: newest,
        lost: false,
        times,
        doubts: Doubts {
            entries: branches.len() as u32,
            ..Doubts::default()
        },
    };
    for (index, &(from, to)) in branches.iter().enumerate() {
        if index > 0 {
            walk.back_through_run(to);
        }
        walk.back_over_branch(from, to);
    }
    let doubts = walk.doubts;
    counts
        .doubts
        .insert(FxBuildHasher.hash_one((branches, &frames[1..])), doubts);
}

/// The addresses at which functions are, from the outermost inwards: calls, and in the innermost one what is executed.
#[derive(Default)]
struct CallStack {
    /// With each the list of calls that ends there, once that was asked for.
    frames: Vec<(Svma, Option<PathId>)>,
}

impl CallStack {
    fn push(&mut self, address: Svma) {
        self.frames.push((address, None));
    }

    /// The innermost function goes on at another address.
    fn switch(&mut self, address: Svma) {
        match self.frames.last_mut() {
            Some(leaf) if leaf.0 == address => {}
            Some(leaf) => *leaf = (address, None),
            None => self.push(address),
        }
    }

    /// Where the innermost function was called.
    fn caller(&self) -> Option<Svma> {
        let caller = self.frames.len().checked_sub(2)?;
        Some(self.frames[caller].0)
    }

    /// The calls that the innermost function is behind, as far as they are known without a gap: those of other files say nothing.
    fn path(&mut self, counts: &mut ContextCounts) -> PathId {
        let ContextCounts {
            paths,
            has_external_callers: external,
            ..
        } = counts;
        let Some(callers) = self.frames.len().checked_sub(1) else {
            return PathId::ROOT;
        };
        let known = self.frames[..callers].iter().rposition(|(_, path)| path.is_some());
        let mut path = known.and_then(|index| self.frames[index].1).unwrap_or(PathId::ROOT);
        for frame in &mut self.frames[known.map_or(0, |index| index + 1)..callers] {
            path = match frame.0 {
                EXTERNAL => {
                    *external = true;
                    PathId::ROOT
                }
                // A return to where no call is: the caller is not known, but those further out are.
                Svma(0) => path,
                call => paths.behind(path, call),
            };
            frame.1 = Some(path);
        }
        path
    }
}

struct Walk<'a> {
    code: &'a Code<'a>,
    counts: &'a mut ContextCounts,
    stack: CallStack,
    /// What is executed next, as seen from the past.
    here: Svma,
    /// The two stacks do not fit: what is older is counted without calls.
    lost: bool,
    times: u64,
    doubts: Doubts,
}

impl Walk<'_> {
    /// Back to `target`, where the run began that ends here.
    fn back_through_run(&mut self, target: Svma) {
        match (self.here == EXTERNAL, target == EXTERNAL) {
            (true, true) => self.doubts.paired += 1,
            (false, false) if self.code.is_valid_fall_through(target, self.here) => {
                let path = self.stack.path(self.counts);
                add(&mut self.counts.ranges, (path, target, self.here), self.times);
                self.stack.switch(target);
            }
            (false, false) => self.lost = true,
            _ => {
                self.doubts.unpaired += 1;
                self.lost = true;
            }
        }
    }

    /// Back over a branch, which is counted in the context that it was taken in.
    fn back_over_branch(&mut self, from: Svma, to: Svma) {
        let class = if from == EXTERNAL {
            None
        } else {
            self.code.class_at(from)
        };
        let comes_from_outside = from == EXTERNAL;
        let returns_to = call_before(self.code, to);
        if self.lost {
            self.stack.frames.clear();
            self.stack.push(from);
        } else if class == Some(InstructionClass::Call) || comes_from_outside && returns_to == Svma(0) {
            self.back_over_call(from);
        } else if class == Some(InstructionClass::Return) || comes_from_outside {
            self.stack.switch(returns_to);
            self.stack.push(from);
        } else {
            self.stack.switch(from);
        }
        self.here = from;
        if to == EXTERNAL {
            return;
        }
        let path = if comes_from_outside {
            PathId::ROOT
        } else {
            self.stack.path(self.counts)
        };
        add(&mut self.counts.branches, (path, from, to), self.times);
    }

    fn back_over_call(&mut self, from: Svma) {
        match self.stack.caller() {
            Some(caller) if caller == from => {
                self.stack.frames.pop();
            }
            // While a function is entered or left, the frame of its caller may be missing.
            caller => {
                self.stack.switch(from);
                if caller.is_some() && from == EXTERNAL {
                    self.doubts.external_calls += 1;
                } else if caller.is_some() {
                    self.doubts.calls += 1;
                }
            }
        }
    }
}

/// The call that returns to `address`; zero if none does, and [`EXTERNAL`] for what is outside.
pub(crate) fn call_before(code: &Code<'_>, address: Svma) -> Svma {
    if address == EXTERNAL {
        return EXTERNAL;
    }
    match code.instruction_before(address) {
        Some(before) if before.class == InstructionClass::Call => before.svma,
        _ => Svma(0),
    }
}

#[cfg(test)]
mod tests {
    use elf::{DecodePolicy, Image};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Frames and branches that fit together or not, in loops, outside of all code, at no instruction: each branch to the binary counts once, and no
        /// run counts that there cannot have been.
        #[test]
        fn each_branch_counts_once(
            picks in prop::collection::vec((0usize..400, 0usize..400), 0..80),
            frames in prop::collection::vec(0usize..400, 0..300),
        ) {
            let image = Image::open(&testkit::Fixture::named("calc-x86_64").program()).expect("a fixture");
            let code = Code::new(&image, DecodePolicy::Full).expect("code");
            let instructions: Vec<Svma> = code.instructions(Svma(0), Svma(u64::MAX)).map(|found| found.svma).collect();
            let place = |pick: usize| match pick % 7 {
                0 => EXTERNAL,
                _ => instructions[pick % instructions.len()],
            };
            let branches: Vec<_> = picks.iter().map(|&(from, to)| (place(from), place(to))).collect();
            let calls: Vec<_> = frames.iter().map(|&frame| place(frame)).collect();
            let mut counts = ContextCounts::default();
            unwind(&mut counts, &code, &branches, &calls, 3);
            let counted: u64 = counts.branches.values().sum();
            let inside = branches.iter().filter(|(_, to)| *to != EXTERNAL).count() as u64;
            prop_assert_eq!(counted, if calls.is_empty() { 0 } else { 3 * inside });
            for &(_, first, last) in counts.ranges.keys() {
                prop_assert!(code.is_valid_fall_through(first, last));
            }
            let runs: u64 = counts.ranges.values().sum();
            prop_assert!(runs <= 3 * branches.len().saturating_sub(1) as u64);
        }
    }
}

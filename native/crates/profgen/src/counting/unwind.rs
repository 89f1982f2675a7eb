//! Walks the branch stack and the call stack of a sample together, to find the calls in progress for each run
//! and each branch.
//!
//! The call stack was recorded after the newest branch, so the walk goes back in time: at a call the frame of
//! the callee is removed, at a return it is added (llvm-profgen: `VirtualUnwinder`). The result of a step
//! depends only on the calls in progress, the branch, and the run after it. A step that was taken before is
//! therefore not worked out again.

use elf::{Code, InstructionClass};

use crate::binaries::code_space::{CodeOffset, NO_CALL, NO_END, OUTSIDE, Region};
use crate::binaries::id::BinaryId;
use crate::binaries::target::Targets;
use crate::counting::call_lists::{CallLists, ListId};

/// Most frames of a call stack that are used. Linux records 127 by default, and contexts that inline deeper
/// than this cannot be written.
pub(crate) const MAX_FRAMES: usize = 1024;

/// Most calls that are followed. No CPU records as many branches, and no call stack has as many frames. Only
/// an input that was not recorded has returns that lead deeper.
pub(crate) const MAX_CALLS: usize = 2 * MAX_FRAMES;

/// The calls in progress. A call is its place in the binary, [`OUTSIDE`], or [`NO_CALL`] for a return to a
/// place with no call before it.
pub(crate) type CallStacks = CallLists<CodeOffset>;

/// Stands for the calls of a sample whose two stacks do not fit together. Older entries are counted without
/// calls.
pub(crate) const LOST: ListId = ListId::NOWHERE;

/// A branch, the straight run after it, and the calls that were in progress during the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Step {
    /// The calls in progress during the run.
    pub stack: ListId,
    pub from: CodeOffset,
    pub to: CodeOffset,
    /// Offset of the last instruction of the run, [`OUTSIDE`], or [`NO_END`] if the end is not known.
    pub end: CodeOffset,
}

/// The state before a step, and the doubts of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    /// The calls in progress when the branch was taken.
    pub stack: ListId,
    /// True if the run is possible, and counts.
    pub has_run: bool,
    pub doubt: Doubt,
}

/// The doubts of a step, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubt(u8);

impl Doubt {
    pub(crate) const NONE: Self = Self(0);
    /// A call from outside of the binary for which the call chain has no frame.
    pub(crate) const EXTERNAL_CALL: Self = Self(1);
    /// Another call for which the call chain has no frame.
    pub(crate) const CALL: Self = Self(2);
    /// A branch out of the binary and the branch back.
    pub(crate) const PAIRED: Self = Self(4);
    /// A branch out of the binary, or into it, without the other.
    pub(crate) const UNPAIRED: Self = Self(8);

    /// A return to more calls than [`MAX_CALLS`].
    pub(crate) const DEEP: Self = Self(16);

    pub(crate) fn is_none(self) -> bool {
        self == Self::NONE
    }

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn note(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The code of a binary, by offsets in the space of all code.
#[derive(Clone, Copy)]
pub(crate) struct Flow<'a> {
    pub code: &'a Code<'a>,
    pub region: &'a Region,
}

impl<'a> Flow<'a> {
    pub(crate) fn of(targets: &'a Targets<'a>, id: BinaryId) -> Self {
        let target = &targets[id];
        Self {
            code: &target.code,
            region: targets.space().owner(target.shared_offset(0)),
        }
    }

    /// Returns the call that returns to `offset`, [`NO_CALL`] if there is no call before `offset`, and
    /// [`OUTSIDE`] for an offset outside of the binary.
    pub(crate) fn call_before(self, offset: CodeOffset) -> CodeOffset {
        if offset == OUTSIDE {
            return OUTSIDE;
        }
        match self.code.instruction_before(self.region.svma(offset)) {
            Some(before) if before.class == InstructionClass::Call => self.region.offset(before.svma),
            _ => NO_CALL,
        }
    }

    fn class_at(self, offset: CodeOffset) -> Option<InstructionClass> {
        if offset == OUTSIDE {
            return None;
        }
        self.code.class_at(self.region.svma(offset))
    }

    fn is_run(self, first: CodeOffset, last: CodeOffset) -> bool {
        let svma = |offset| self.region.svma(offset);
        self.code.is_valid_fall_through(svma(first), svma(last))
    }
}

/// Goes back over the run of a step to its beginning, and then over the branch to that beginning.
pub(crate) fn step_back(stacks: &mut CallStacks, flow: Flow<'_>, step: Step) -> Before {
    let mut before = Before {
        stack: step.stack,
        has_run: false,
        doubt: Doubt::NONE,
    };
    match (step.end, step.to) {
        (NO_END, _) => {}
        (OUTSIDE, OUTSIDE) => before.doubt.note(Doubt::PAIRED),
        (OUTSIDE, _) | (_, OUTSIDE) => {
            before.doubt.note(Doubt::UNPAIRED);
            before.stack = LOST;
        }
        (end, to) if flow.is_run(to, end) => before.has_run = true,
        _ => before.stack = LOST,
    }
    if before.stack == LOST {
        return before;
    }
    let comes_from_outside = step.from == OUTSIDE;
    let returns_to = flow.call_before(step.to);
    let class = flow.class_at(step.from);
    if class == Some(InstructionClass::Call) || comes_from_outside && returns_to == NO_CALL {
        match stacks.last(before.stack) {
            Some((outer, caller)) if caller == step.from => before.stack = outer,
            // While a function is entered or left, the frame of its caller may be missing.
            Some(_) if comes_from_outside => before.doubt.note(Doubt::EXTERNAL_CALL),
            Some(_) => before.doubt.note(Doubt::CALL),
            None => {}
        }
    } else if class == Some(InstructionClass::Return) || comes_from_outside {
        if stacks.length(before.stack) < MAX_CALLS {
            before.stack = stacks.behind(before.stack, returns_to);
        } else {
            before.doubt.note(Doubt::DEEP);
            before.stack = LOST;
        }
    }
    before
}

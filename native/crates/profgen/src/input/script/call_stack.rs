//! Which call stacks are taken at their word, by llvm-profgen's rules. Their frames serve for nothing else here: of a sample that is
//! kept, the branch stack counts as if there were no call stack.

use elf::{InstructionClass, Svma};
use symbolize::FunctionTable;

use crate::binaries::target::Target;

/// A place in the code of a target.
#[derive(Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub target: &'a Target<'a>,
    pub svma: Svma,
}

/// The frames of one sample, as far as they were told.
#[derive(Default)]
pub(crate) struct CallStack<'a> {
    /// The innermost frame, once there is one; the inner `None` is an address outside the code of all targets.
    leaf: Option<Option<Frame<'a>>>,
    /// Where an address should have been behind a call, but is not. The frames further out are not known then.
    broken_at: Option<Frame<'a>>,
}

impl<'a> CallStack<'a> {
    /// Adds a frame, from the innermost outwards; false if those further out do not matter.
    pub(crate) fn push(&mut self, frame: Option<Frame<'a>>) -> bool {
        if self.leaf.is_none() {
            self.leaf = Some(frame);
            return true;
        }
        let Some(frame) = frame else { return true };
        let called = class_before(frame) == Some(InstructionClass::Call);
        if !called {
            self.broken_at = Some(frame);
        }
        called
    }

    /// The address that should be behind a call and is not.
    pub(crate) fn broken_at(&self) -> Option<Frame<'a>> {
        self.broken_at
    }

    /// Whether the innermost frame is in another file.
    pub(crate) fn has_external_leaf(&self) -> bool {
        matches!(self.leaf, Some(None))
    }

    /// Whether the sample counts. It does not while a function is entered or left, because frames are unsure then. `functions_of` has the
    /// functions of a target.
    pub(crate) fn is_kept(&self, functions_of: impl Fn(&Target<'a>) -> &'a FunctionTable) -> bool {
        match self.leaf {
            None => false,
            Some(None) => true,
            Some(Some(leaf)) => !is_prologue(leaf, functions_of(leaf.target)) && !is_epilogue(leaf),
        }
    }
}

fn class_before(frame: Frame<'_>) -> Option<InstructionClass> {
    let before = frame.target.code.instruction_before(frame.svma);
    before.map(|instruction| instruction.class)
}

/// The first two instructions of every range of a function.
fn is_prologue(frame: Frame<'_>, functions: &FunctionTable) -> bool {
    let starts_at = |svma| functions.entry_at(svma).is_some();
    let before = frame.target.code.instruction_before(frame.svma);
    starts_at(frame.svma) || before.is_some_and(|instruction| starts_at(instruction.svma))
}

/// Every return, and the instruction before it.
fn is_epilogue(frame: Frame<'_>) -> bool {
    let mut two = frame.target.code.instructions(frame.svma, Svma(u64::MAX)).take(2);
    two.any(|instruction| instruction.class == InstructionClass::Return)
}

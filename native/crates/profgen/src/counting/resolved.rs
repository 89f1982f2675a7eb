//! Branch entries, as they are recorded and as they are understood.

use crate::account::ledger::EntryClass;
use crate::binaries::code_space::CodeOffset;
use crate::binaries::id::BinaryId;

/// A branch as recorded, in the address space that `view` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEntry {
    pub from: u64,
    pub to: u64,
    pub view: u16,
}

/// What an entry turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// At least one end is code. The other end may be in another target. If it is [`OUTSIDE`](crate::binaries::code_space::OUTSIDE), both ends
    /// name the same target.
    Used {
        from: CodeOffset,
        to: CodeOffset,
        from_target: BinaryId,
        to_target: BinaryId,
        /// The end that is [`OUTSIDE`] lies in the code of the same target, but at no instruction.
        half_misplaced: bool,
    },
    /// Neither end is, and one of them lies in the code of this target.
    Misplaced(BinaryId),
    /// Neither end is, nor lies in the code of a target.
    Lost(EntryClass),
}

//! Branch entries: as the recording has them, and with their addresses resolved.

use crate::account::ledger::EntryClass;
use crate::binaries::code_space::{CodeOffset, OUTSIDE};
use crate::binaries::id::BinaryId;

/// A branch with the addresses that the recording has. They belong to the address space that `view` numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEntry {
    pub from: u64,
    pub to: u64,
    pub view: u16,
}

/// A branch entry whose addresses are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// At least one end is an instruction of a target. The other end may be in another target. If it is
    /// [`OUTSIDE`], both ends name the same target.
    Used {
        from: CodeOffset,
        to: CodeOffset,
        from_target: BinaryId,
        to_target: BinaryId,
        /// The target in whose code the end that is `OUTSIDE` lies, although it is no instruction.
        misplaced: Option<BinaryId>,
    },
    /// Neither end is an instruction of a target, but one end lies in the code of this target.
    Misplaced(BinaryId),
    /// Neither end lies in the code of a target. The class tells why.
    Lost(EntryClass),
}

impl Resolved {
    /// Returns the entry as the other targets see it if some targets do not count the sample: the ends in these targets
    /// are outside.
    pub(crate) fn without(self, is_left_out: impl Fn(BinaryId) -> bool) -> Self {
        let unsure = Self::Lost(EntryClass::UnsureStack);
        match self {
            Self::Used {
                from,
                to,
                from_target,
                to_target,
                misplaced,
            } => match [from_target, to_target].map(&is_left_out) {
                [false, false] => Self::Used {
                    from,
                    to,
                    from_target,
                    to_target,
                    misplaced: misplaced.filter(|target| !is_left_out(*target)),
                },
                [true, true] => match misplaced.filter(|target| !is_left_out(*target)) {
                    Some(target) => Self::Misplaced(target),
                    None => unsure,
                },
                [true, false] => Self::Used {
                    from: OUTSIDE,
                    to,
                    from_target: to_target,
                    to_target,
                    misplaced: None,
                },
                [false, true] => Self::Used {
                    from,
                    to: OUTSIDE,
                    from_target,
                    to_target: from_target,
                    misplaced: None,
                },
            },
            Self::Misplaced(target) if is_left_out(target) => unsure,
            Self::Misplaced(_) | Self::Lost(_) => self,
        }
    }
}

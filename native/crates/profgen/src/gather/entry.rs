//! An entry of a branch stack, and the facts about newer entries of the stack that its row depends on.

use perfdata::Branch;
use traceshard::KERNEL_START;

use crate::gather::chain::TailId;
use crate::gather::rows::EventId;

/// The properties of a sample that its rows depend on: its event and its view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Of(u32);

impl Of {
    /// Stands for the absence of a sample.
    pub(crate) const NONE: Self = Self(0);

    /// Makes the properties of a sample. `view` is the number of the view of its address space.
    #[inline]
    pub(crate) fn new(event: EventId, view: u16) -> Self {
        Self(u32::from(event) << 16 | u32::from(view))
    }

    /// Returns the event of the sample.
    pub(crate) fn event(self) -> EventId {
        (self.0 >> 16) as EventId
    }

    /// Returns all bits of the properties.
    #[inline]
    pub(crate) fn bits(self) -> u32 {
        self.0
    }
}

/// A branch in its stack.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub branch: Branch,
    /// Source of the next newer entry, as [`Next`] returns it.
    pub next: u64,
    pub of: Of,
}

/// Stands for the source of the next newer entry if there is no such entry.
pub(crate) const NO_NEXT: u64 = u64::MAX;

/// The newest entry of a stack so far. BOLT ends each run at the next newer entry, whatever file this entry is
/// in. Between entries of programs, BOLT skips entries of the kernel.
pub(crate) struct Next {
    pub from: u64,
    pub touches_kernel: bool,
    /// Source of the newest entry of a program, if the newest entry touches the kernel.
    of_programs: u64,
}

impl Next {
    pub(crate) const NOTHING: Self = Self {
        from: NO_NEXT,
        touches_kernel: false,
        of_programs: NO_NEXT,
    };

    /// Returns the source of the next newer entry of a branch.
    #[inline]
    pub(crate) fn of(&self, branch: Branch) -> u64 {
        if self.touches_kernel && !touches_kernel(branch) {
            self.of_programs
        } else {
            self.from
        }
    }

    /// Returns true if the newest entry is the next newer entry of a branch, and stays so for other stacks with
    /// the same state.
    #[inline]
    pub(crate) fn is_next_of(&self, branch: Branch) -> bool {
        let is_alike = self.from == NO_NEXT || self.touches_kernel == touches_kernel(branch);
        is_alike && !crosses_kernel(branch.from.0, branch.to.0)
    }

    /// Makes a branch the newest entry.
    #[inline]
    pub(crate) fn advance(&mut self, branch: Branch) {
        if !self.touches_kernel {
            self.of_programs = self.from;
        }
        self.from = branch.from.0;
        self.touches_kernel = touches_kernel(branch);
    }
}

#[inline]
pub(crate) fn touches_kernel(branch: Branch) -> bool {
    branch.from.0.max(branch.to.0) >= KERNEL_START
}

/// Returns true if one end of a branch is in the kernel, and the other is not. `from` and `to` are run-time addresses.
#[inline]
pub(crate) fn crosses_kernel(from: u64, to: u64) -> bool {
    (from >= KERNEL_START) != (to >= KERNEL_START)
}

/// The branch of a file that was read last in a stack.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Newest {
    /// Run-time source of the branch.
    pub from: u64,
    /// Tail that the next older branch of the file has up to this branch
    /// ([`Tails::seen_from_behind`](crate::gather::chain::Tails::seen_from_behind)).
    pub seen: TailId,
}

pub(crate) const NOTHING: Newest = Newest {
    from: 0,
    seen: TailId::UNKNOWN,
};

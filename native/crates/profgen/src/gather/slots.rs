//! The slots of the cache in front of the rows.

use perfdata::Branch;
use traceshard::Loss;

use crate::gather::chain::TailId;
use crate::gather::entry::{NO_NEXT, Newest, Of, crosses_kernel};
use crate::gather::files::{FileId, NO_FILE};
use crate::gather::places::PlaceId;
use crate::gather::states::{Facts, State};

/// Number of slots of the cache, which takes 832 KiB. Most programs use a part of it.
pub(crate) const SLOTS: usize = 1 << 13;

/// A branch, and the facts that suffice if the state of the stack decides everything after the branch. Two
/// slots fit into a line of the processor's cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(crate) struct Slot {
    pub from: u64,
    pub to: u64,
    /// State of the stack before the branch, if the state decides everything that matters. Then nothing else
    /// need be compared.
    pub before: State,
    /// State of the stack after the branch.
    pub behind: State,
    pub counts: SmallCounts,
    /// Tail for the next older branch of the first side; see [`Side`].
    pub seen: TailId,
}

const _: () = assert!(size_of::<Slot>() == 32);

impl Slot {
    /// Returns true if the slot is for this branch, and its counts have room for one more execution.
    #[inline]
    pub(crate) fn holds(&self, branch: Branch) -> bool {
        self.from == branch.from.0 && self.to == branch.to.0 && self.counts.can_grow()
    }
}

/// The newer entry and the sides of a slot's branch when the branch was last counted.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    /// Source of the next newer entry of the stack, as [`Next`] returns it.
    pub next: u64,
    pub of: Of,
    /// Reason why the branch has no row; `None` if the branch has a row.
    pub loss: Option<Loss>,
    /// The side of the branch in the file of its source, or in the only file, and the side in the file of its
    /// target, if this is another file.
    pub sides: [Side; 2],
}

impl Known {
    /// Returns true if the next newer entry and the properties of the sample are those of the last execution.
    #[inline]
    pub(crate) fn is_for(&self, next: u64, of: Of) -> bool {
        self.next == next && self.of == of
    }

    /// Returns the facts about the state after the branch; `None` if the state is not known. The next older branch
    /// is expected in the file of the source.
    #[inline]
    pub(crate) fn facts(&self, branch: Branch) -> Option<Facts> {
        let [side, _] = &self.sides;
        (side.file != NO_FILE && !crosses_kernel(branch.from.0, branch.to.0)).then(|| Facts {
            newest: side.newest(branch.from.0),
            file: side.file,
            of: self.of,
        })
    }
}

/// Number of executions of a branch, in the lower half, and number of mispredictions. Both are in one number,
/// because two stored parts take long to load as a whole.
#[derive(Clone, Copy)]
pub(crate) struct SmallCounts(u32);

impl SmallCounts {
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    pub(crate) fn count(&mut self, branch: Branch) {
        self.0 += 1 + (u32::from(branch.flags.mispredicted()) << 16);
    }

    /// Returns true if the counts are not 0 and have room for one more execution.
    #[inline]
    fn can_grow(self) -> bool {
        let count = self.0 as u16;
        count.wrapping_sub(1) < u16::MAX - 1
    }

    /// Returns the number of executions.
    pub(crate) fn executions(self) -> u32 {
        self.0 & u32::from(u16::MAX)
    }

    /// Returns the number of mispredictions.
    pub(crate) fn mispredictions(self) -> u32 {
        self.0 >> 16
    }
}

/// A branch in one file, and the run after it. Places and tails are numbers of
/// [`RowTable::tails`](crate::gather::row_table::RowTable::tails).
#[derive(Clone, Copy)]
pub(crate) struct Side {
    /// Tail of the newest branch of the file; see [`Newest`]. [`TailId::NONE`] if the newest branch of the file
    /// is the next entry of the stack and the run ends at its source, whatever its target is.
    pub newer: TailId,
    /// Tail that the next older branch of the file has up to this branch.
    pub seen: TailId,
    /// Parts of the key of the row; see [`Key`].
    pub from: PlaceId,
    pub to: PlaceId,
    pub tail: TailId,
    pub stack_end: PlaceId,
    pub file: FileId,
}

pub(crate) const NO_SIDE: Side = Side {
    newer: TailId::UNKNOWN,
    seen: TailId::UNKNOWN,
    from: PlaceId::NONE,
    to: PlaceId::NONE,
    tail: TailId::UNKNOWN,
    stack_end: PlaceId::NONE,
    file: NO_FILE,
};

impl Side {
    /// Returns the branch as the newest branch of its file.
    #[inline]
    pub(crate) fn newest(&self, from: u64) -> Newest {
        Newest { from, seen: self.seen }
    }

    /// Returns true if the newest branch of the file is the one of the last execution. `next` is the source of
    /// the next newer entry of the stack, which must be the one of the last execution.
    #[inline]
    pub(crate) fn fits(&self, newest: &Newest, next: u64) -> bool {
        self.newer == newest.seen || (self.newer == TailId::NONE && newest.from == next)
    }
}

pub(crate) const EMPTY: Slot = Slot {
    from: 0,
    to: 0,
    before: State::NONE,
    behind: State::UNKNOWN,
    counts: SmallCounts::NONE,
    seen: TailId::UNKNOWN,
};

pub(crate) const NOTHING_KNOWN: Known = Known {
    next: NO_NEXT,
    of: Of::NONE,
    loss: None,
    sides: [NO_SIDE; 2],
};

/// Returns the slot of a branch for which the newer branch matters more than usual, as at the beginning of a
/// stack. It is a call, so that it does not delay the look-ups of all other branches.
#[cold]
#[inline(never)]
pub(crate) fn slot_in_doubt(index: usize, seen: u32, mask: usize) -> usize {
    (index ^ seen.wrapping_mul(0x9e37_79b9) as usize) & mask
}

/// Returns the slot of a branch by multiplicative hashing: the top bits depend on all bits of the addresses.
/// The source of the newer entry stands for the end of the run after the branch. It is known before the
/// newer entry is found, so the processor can look up several entries of a stack at once. `mask` is the mask for the
/// slots that are in use.
#[inline]
pub(crate) fn slot_of(branch: Branch, newer: u64, of: Of, mask: usize) -> usize {
    const BITS: u32 = SLOTS.trailing_zeros();
    let mixed = branch.from.0 ^ branch.to.0.rotate_left(23) ^ newer.rotate_left(41) ^ u64::from(of.bits());
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS)) as usize & mask
}

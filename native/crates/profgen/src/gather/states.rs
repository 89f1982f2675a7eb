//! The states of a stack, each with a number.

use crate::gather::cache_size::CacheSize;
use crate::gather::chain::Tails;
use crate::gather::entry::{NOTHING, Newest, Of};
use crate::gather::files::{FileId, NO_FILE};

/// Number of states that are found again.
const STATES: usize = 1 << 12;

/// The number of a state of a stack. The state is everything about the newer entries that the row of an older
/// branch depends on, if the older branch has ends in one file only and the next newer entry has an end in
/// the same file. The lowest bit is 1 if [`Tails::is_in_doubt`] returns true for the tail of the newer entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State(u32);

impl State {
    /// Both stand for a state that does not decide everything: [`NONE`](Self::NONE) in a slot, and
    /// [`UNKNOWN`](Self::UNKNOWN) in a stack. The two values differ, so they never match.
    pub(crate) const NONE: Self = Self(u32::MAX - 1);
    pub(crate) const UNKNOWN: Self = Self(u32::MAX - 3);
    /// Number of states after which all slots are emptied.
    const MANY: u32 = u32::MAX / 4;

    #[inline]
    pub(crate) fn is_in_doubt(self) -> bool {
        self.0 & 1 != 0
    }
}

/// The facts that a state stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The newest branch. It does not cross the border of the kernel, so its source tells which side it is on.
    pub newest: Newest,
    pub file: FileId,
    pub of: Of,
}

/// The numbers of states, in a direct-mapped cache. Different facts have different numbers until all slots are
/// emptied. Facts that come again soon have the number that they had before.
pub(crate) struct States {
    known: Box<[(Facts, State); STATES]>,
    /// Number of states so far.
    count: u32,
    /// Mask for the places of `known` that are in use.
    mask: usize,
}

const NO_FACTS: (Facts, State) = (
    Facts {
        newest: NOTHING,
        file: NO_FILE,
        of: Of::NONE,
    },
    State::UNKNOWN,
);

impl Default for States {
    fn default() -> Self {
        Self {
            known: vec![NO_FACTS; STATES].try_into().unwrap_or_else(|_| unreachable!()),
            count: 0,
            mask: STATES - 1,
        }
    }
}

impl States {
    /// Returns the number of the state with these facts.
    pub(crate) fn number(&mut self, facts: Facts, tails: &Tails) -> State {
        const BITS: u32 = STATES.trailing_zeros();
        let small = u64::from(facts.file) << 32
            ^ u64::from(facts.of.bits()).rotate_left(16)
            ^ u64::from(facts.newest.seen.bits());
        let hash = (facts.newest.from ^ small.rotate_left(24)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (known, state) = &mut self.known[(hash >> (64 - BITS)) as usize & self.mask];
        if *known != facts {
            *known = facts;
            *state = State(self.count << 1 | u32::from(tails.is_in_doubt(facts.newest.seen)));
            self.count += 1;
        }
        *state
    }

    /// Returns true if so many states have numbers that all of them should be forgotten.
    #[inline]
    pub(crate) fn are_many(&self) -> bool {
        self.count > State::MANY
    }

    /// Forgets all states. No slot may have the number of a state. `size` is the size of the cache from now on.
    pub(crate) fn clear(&mut self, size: CacheSize) {
        self.mask = size.mask(STATES);
        self.known.fill(NO_FACTS);
        self.count = 0;
    }
}

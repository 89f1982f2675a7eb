//! Run-time addresses and the clock that orders changes of the address spaces.

use std::fmt;

/// An address as the running machine had it ("actual virtual memory address").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Avma(pub u64);

impl Avma {
    /// True for the upper half of the address space, which on 64-bit machines is the kernel's.
    #[must_use]
    #[inline]
    pub fn is_kernel(self) -> bool {
        self.0 >> 63 != 0
    }

    /// The address `bytes` further on, modulo 2^64.
    #[must_use]
    #[inline]
    pub fn wrapping_add(self, bytes: u64) -> Self {
        Self(self.0.wrapping_add(bytes))
    }
}

impl fmt::LowerHex for Avma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

/// A point on the clock of the address spaces.
///
/// That is the recorded time where every record has one. Recordings without times are ordered by position
/// in the stream instead, as perf does. Compare moments; do not compute with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Moment(pub(crate) u64);

impl Moment {
    /// Before everything: where records without a time are applied, such as the maps that perf synthesizes
    /// for processes that already ran.
    pub const START: Self = Self(0);
    /// After everything.
    pub const END: Self = Self(u64::MAX);

    /// A moment on the time clock, for callers that make their own side records.
    #[must_use]
    pub fn at_time(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }
}

/// The time during which an address space does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// Its first moment.
    pub from: Moment,
    /// The moment of the next change; `None` if there is none.
    pub until: Option<Moment>,
}

impl Period {
    /// All moments.
    pub const ALWAYS: Self = Self {
        from: Moment::START,
        until: None,
    };

    /// True if `moment` is in it.
    #[must_use]
    #[inline]
    pub fn contains(&self, moment: Moment) -> bool {
        self.from <= moment && self.until.is_none_or(|until| moment < until)
    }
}

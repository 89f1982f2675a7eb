//! Run-time addresses and the clock that orders changes of the address spaces.

use std::fmt;

/// An address in the recorded machine's memory ("actual virtual memory address").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Avma(pub u64);

impl Avma {
    /// Returns true for the upper half of the address space, which belongs to the kernel on 64-bit machines.
    #[must_use]
    #[inline]
    pub fn is_kernel(self) -> bool {
        self.0 >> 63 != 0
    }

    /// Returns the address `bytes` further on, modulo 2^64.
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

/// A moment on the clock that orders the changes of address spaces.
///
/// This clock is the recorded time where every record has a time. Otherwise moments are positions in the stream, as in
/// perf. Compare moments; do not compute with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Moment(pub(crate) u64);

impl Moment {
    /// The first moment. Records without a time are applied at this moment, such as the maps that perf synthesizes for
    /// processes that already ran.
    pub const START: Self = Self(0);
    /// The last moment, after all others.
    pub const END: Self = Self(u64::MAX);

    /// Makes a moment of a time in nanoseconds, for callers that make their own side records.
    #[must_use]
    pub fn at_time(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }
}

/// The time during which an address space does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// First moment of the period.
    pub from: Moment,
    /// Moment of the next change, which is not part of the period. `None` if there is no further change.
    pub until: Option<Moment>,
}

impl Period {
    /// The period of all moments.
    pub const ALWAYS: Self = Self {
        from: Moment::START,
        until: None,
    };

    /// Returns true if `moment` lies in the period.
    #[must_use]
    #[inline]
    pub fn contains(&self, moment: Moment) -> bool {
        self.from <= moment && self.until.is_none_or(|until| moment < until)
    }
}

//! The stretches of the buffers of a trace that were written without a stop.

use std::collections::{BTreeMap, BTreeSet};

/// Number in AUXTRACE records that stands for "no CPU".
const NO_CPU: u32 = u32::MAX;

/// The owner of a buffer: a CPU, or a thread on any CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    Cpu(u32),
    Thread(i32),
}

impl Owner {
    pub(crate) fn of(cpu: u32, tid: i32) -> Self {
        if cpu == NO_CPU {
            Self::Thread(tid)
        } else {
            Self::Cpu(cpu)
        }
    }

    /// Returns the thread that owns the buffer.
    pub(crate) fn thread(self) -> Option<i32> {
        match self {
            Self::Cpu(_) => None,
            Self::Thread(tid) => Some(tid).filter(|tid| *tid >= 0),
        }
    }
}

/// The thread that ran when a stretch of a buffer ended, and the time of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StretchEnd {
    /// Process id; -1 if not recorded.
    pub(crate) pid: i32,
    /// Thread id; -1 if not recorded.
    pub(crate) tid: i32,
    /// Time in nanoseconds of the recording's clock; 0 if not recorded.
    pub(crate) time: u64,
}

/// The stretches of all buffers.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    /// By the offsets in the buffer of end and start.
    stretches: BTreeMap<(Owner, u64, u64), StretchEnd>,
    /// Offsets in front of which the last record may be cut off.
    gaps: BTreeSet<(Owner, u64)>,
}

impl Sections {
    pub(crate) fn add(&mut self, owner: Owner, start: u64, size: u64, has_gap: bool, end: StretchEnd) {
        let behind = start.saturating_add(size);
        self.stretches.insert((owner, behind, start), end);
        if has_gap {
            self.gaps.insert((owner, behind));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.stretches.len()
    }

    /// Returns the stretch of a record that ends at this offset.
    pub(crate) fn of_record(&self, owner: Owner, end: u64) -> Option<StretchEnd> {
        let from = (owner, end, 0)..=(owner, u64::MAX, u64::MAX);
        let (&(_, _, start), found) = self.stretches.range(from).next()?;
        (start < end).then_some(*found)
    }

    /// Returns the last stretch that ends at or before this offset.
    pub(crate) fn last_before(&self, owner: Owner, offset: u64) -> Option<StretchEnd> {
        let all = (owner, 0, 0)..=(owner, offset, u64::MAX);
        self.stretches.range(all).next_back().map(|(_, found)| *found)
    }

    /// Returns the offset of the next gap after `offset`.
    pub(crate) fn next_gap(&self, owner: Owner, offset: u64) -> Option<u64> {
        let behind = (owner, offset.checked_add(1)?)..=(owner, u64::MAX);
        self.gaps.range(behind).next().map(|(_, gap)| *gap)
    }

    /// Keeps the stretches that `is_needed` is true for. Its arguments are the owner and the offset of the end.
    pub(crate) fn retain(&mut self, is_needed: impl Fn(Owner, u64) -> bool) {
        self.stretches.retain(|(owner, end, _), _| is_needed(*owner, *end));
        self.gaps.retain(|(owner, gap)| is_needed(*owner, *gap));
    }
}

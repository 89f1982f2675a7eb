//! The account of every branch entry read: each ends in exactly one class.

use std::ops::{AddAssign, Index, IndexMut};

/// What became of a branch entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum EntryClass {
    /// Counted as a branch, as the start or the end of a range, or both.
    Used,
    /// Both ends lie in other mapped files.
    OutsideBinary,
    /// Both ends lie where nothing is known to be mapped.
    Unmapped,
    /// Both ends lie in another build of the binary.
    OtherBuild,
    /// Within the binary, but neither end is the start of an instruction.
    NotInstruction,
    /// Executed on a wrong path and never retired (AMD LBRv2, `spec` = 1).
    WrongPath,
    /// A slot that the CPU had not filled: both addresses 0.
    UnfilledSlot,
    /// The sample was deselected by event, process, thread, CPU or time.
    Deselected,
    /// The straight run after the branch passes a call, return or jump, or ends before it starts.
    CrossesBarrier,
    /// The straight run after the branch starts in no function of the debug information.
    NoFunction,
}

impl EntryClass {
    /// All classes, in the order of a report.
    pub const ALL: [Self; 10] = [
        Self::Used,
        Self::OutsideBinary,
        Self::Unmapped,
        Self::OtherBuild,
        Self::NotInstruction,
        Self::WrongPath,
        Self::UnfilledSlot,
        Self::Deselected,
        Self::CrossesBarrier,
        Self::NoFunction,
    ];

    /// The class as the API and `--json` name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::OutsideBinary => "outsideBinary",
            Self::Unmapped => "unmapped",
            Self::OtherBuild => "otherBuild",
            Self::NotInstruction => "notInstruction",
            Self::WrongPath => "wrongPath",
            Self::UnfilledSlot => "unfilledSlot",
            Self::Deselected => "deselected",
            Self::CrossesBarrier => "crossesBarrier",
            Self::NoFunction => "noFunction",
        }
    }
}

/// Entries by class. The classes sum to the entries read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: u64,
    classes: [u64; EntryClass::ALL.len()],
}

impl Ledger {
    /// Branch entries read, unfilled slots included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Sum over all classes; equals `entries` or the account is wrong.
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.classes.iter().sum()
    }

    pub(crate) fn read(&mut self, entries: u64) {
        self.entries += entries;
    }

    /// Moves `count` entries from one class to another.
    pub(crate) fn reclassify(&mut self, from: EntryClass, to: EntryClass, count: u64) {
        self[from] -= count;
        self[to] += count;
    }
}

impl Index<EntryClass> for Ledger {
    type Output = u64;
    fn index(&self, class: EntryClass) -> &u64 {
        &self.classes[class as usize]
    }
}

impl IndexMut<EntryClass> for Ledger {
    fn index_mut(&mut self, class: EntryClass) -> &mut u64 {
        &mut self.classes[class as usize]
    }
}

impl AddAssign<&Ledger> for Ledger {
    fn add_assign(&mut self, other: &Ledger) {
        self.entries += other.entries;
        for (mine, theirs) in self.classes.iter_mut().zip(other.classes) {
            *mine += theirs;
        }
    }
}

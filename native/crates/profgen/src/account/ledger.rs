//! The ledger of all branch entries that were read: each entry is in exactly one class.

use std::ops::{AddAssign, Index, IndexMut};

use crate::account::share::percent;

/// The fate of a branch entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryClass {
    /// The entry counts as a branch, as the start or the end of a range, or as both.
    Used,
    /// Both ends lie in other mapped files.
    OutsideBinary,
    /// Both ends lie where nothing is known to be mapped.
    Unmapped,
    /// Both ends lie in another build of the binary.
    OtherBuild,
    /// An end lies within the binary, but neither end is the start of an instruction.
    NotInstruction,
    /// An end lies in linkage stubs (`.plt`) or in other code without symbols, on the way to or from other
    /// files; or in the bytes that a kernel puts before a function, on the way into the function.
    Stub,
    /// The branch was executed on a wrong path and never retired (AMD LBRv2, `spec` = 1).
    WrongPath,
    /// The CPU had not filled the slot: both addresses are 0.
    UnfilledSlot,
    /// A sampled branch that was not taken (Arm SPE). The run around it is counted with the branch at the
    /// run's end.
    NotTaken,
    /// The sample was deselected by event, process, thread, CPU or time.
    Deselected,
    /// The sample has no call stack, or it was taken while a function was entered or left, when the call
    /// stack may lack a frame.
    UnsureStack,
    /// The straight run after the branch passes a call, return or jump, or ends before it starts.
    CrossesBarrier,
    /// The straight run after the branch starts in no function of the debug information.
    NoFunction,
}

impl EntryClass {
    /// All classes, in the order of a report.
    pub const ALL: [Self; 13] = [
        Self::Used,
        Self::OutsideBinary,
        Self::Unmapped,
        Self::OtherBuild,
        Self::NotInstruction,
        Self::Stub,
        Self::WrongPath,
        Self::UnfilledSlot,
        Self::NotTaken,
        Self::Deselected,
        Self::UnsureStack,
        Self::CrossesBarrier,
        Self::NoFunction,
    ];

    /// Returns the name of the class in the API and in `--json`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::OutsideBinary => "outsideBinary",
            Self::Unmapped => "unmapped",
            Self::OtherBuild => "otherBuild",
            Self::NotInstruction => "notInstruction",
            Self::Stub => "stub",
            Self::WrongPath => "wrongPath",
            Self::UnfilledSlot => "unfilledSlot",
            Self::NotTaken => "notTaken",
            Self::Deselected => "deselected",
            Self::UnsureStack => "unsureStack",
            Self::CrossesBarrier => "crossesBarrier",
            Self::NoFunction => "noFunction",
        }
    }
}

impl EntryClass {
    /// Returns the words that complete "17 entries ...".
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::OutsideBinary => "in other files",
            Self::Unmapped => "where nothing was mapped",
            Self::OtherBuild => "in another build of the binary",
            Self::NotInstruction => "in the binary, but at no instruction",
            Self::Stub => "in linkage stubs or code without symbols",
            Self::WrongPath => "on wrong paths",
            Self::UnfilledSlot => "in slots that the CPU had not filled",
            Self::NotTaken => "of branches that were not taken",
            Self::Deselected => "deselected by the options",
            Self::UnsureStack => "in samples without a sure call stack",
            Self::CrossesBarrier => "followed by a run across a call, return or jump",
            Self::NoFunction => "followed by a run outside all functions",
        }
    }

    /// Returns the remedy for the case that most entries are in this class.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::OutsideBinary | Self::Stub => {
                "Record while the program itself is busy, or name the file that was busy with {--binary}."
            }
            Self::Unmapped => "Record with the mappings: start the program under perf, or use -a as root.",
            Self::OtherBuild => {
                "Name the binary that was running, or use {--ignore-build-id} if both have the same code."
            }
            Self::NotInstruction | Self::CrossesBarrier => {
                "The binary has the same name as the binary that was running, but other code. Name the binary that was running with {--binary}."
            }
            Self::NoFunction | Self::Used => {
                "Compile with -g (clang: -fdebug-info-for-profiling), or name the file with the debug information with {--debug-binary}."
            }
            Self::UnsureStack => {
                "Record call chains with `perf record -b --call-graph fp`, or record without -g, which needs no call stacks."
            }
            Self::Deselected => "Check {--event}, {--pid}, {--tid}, {--cpu} and {--time}.",
            Self::WrongPath => {
                "The recording marks these branches as speculated and never executed (`perf script -F brstack` prints SPEC_WRONG_PATH). If \
                 the marks are wrong, {--compat=llvm-profgen} counts such entries all the same."
            }
            Self::NotTaken => "Record for longer: few of the sampled branches were taken.",
            Self::UnfilledSlot => {
                "The CPU delivered no branches. Virtual machines often have no branch records: record on the host."
            }
        }
    }
}

/// Number of entries of each class. The classes sum to the entries that were read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ledger {
    entries: u64,
    /// True if a number of entries, or of what they stand for, did not fit into 64 bits, so that counts
    /// wrapped around at 0.
    exceeded: bool,
    classes: [u64; EntryClass::ALL.len()],
}

impl Ledger {
    /// Returns the number of branch entries that were read, unfilled slots included.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Returns the sum over all classes. The ledger is wrong if it differs from [`Ledger::entries`].
    #[must_use]
    pub fn accounted(&self) -> u64 {
        self.classes.iter().fold(0, |sum, entries| sum.wrapping_add(*entries))
    }

    /// Returns the number of entries that should have counted but could not: those that are neither used, nor
    /// deselected, nor outside the binary, nor an artefact of the CPU.
    #[must_use]
    pub fn lost(&self) -> u64 {
        use EntryClass as C;
        [
            C::OtherBuild,
            C::NotInstruction,
            C::CrossesBarrier,
            C::NoFunction,
            C::Unmapped,
        ]
        .into_iter()
        .fold(0, |sum: u64, class| sum.wrapping_add(self[class]))
    }

    /// Returns [`Ledger::lost`] as a share of all entries, in percent.
    #[must_use]
    pub fn loss_percent(&self) -> f64 {
        percent(self.lost(), self.entries)
    }

    /// Returns a text with the classes that have entries, the largest first.
    pub(crate) fn summary(&self) -> String {
        let mut classes: Vec<_> = EntryClass::ALL
            .iter()
            .map(|&class| (self[class], class))
            .filter(|(count, _)| *count > 0)
            .collect();
        classes.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let list: Vec<_> = classes
            .iter()
            .map(|(count, class)| format!("{count} {}", class.describe()))
            .collect();
        list.join(", ")
    }

    /// Returns the class with the most entries; `None` if there are no entries.
    pub(crate) fn main_class(&self) -> Option<EntryClass> {
        EntryClass::ALL
            .into_iter()
            .filter(|&class| self[class] > 0)
            .max_by_key(|&class| self[class])
    }

    pub(crate) fn read(&mut self, entries: u64) {
        let (sum, exceeds) = self.entries.overflowing_add(entries);
        self.entries = sum;
        self.exceeded |= exceeds;
    }

    /// Returns `count` times `times`. Notes a result that does not fit into 64 bits.
    pub(crate) fn product(&mut self, count: u64, times: u64) -> u64 {
        let (product, exceeds) = count.overflowing_mul(times);
        self.exceeded |= exceeds;
        product
    }

    /// Returns true if counts are wrong because they did not fit into 64 bits.
    pub(crate) fn is_exceeded(&self) -> bool {
        self.exceeded
    }

    /// Adds entries to a class. Sums wrap around, as llvm-profgen's do, because a text may state any count.
    pub(crate) fn add(&mut self, class: EntryClass, entries: u64) {
        self[class] = self[class].wrapping_add(entries);
    }

    /// Moves `count` entries from one class to another.
    pub(crate) fn reclassify(&mut self, from: EntryClass, to: EntryClass, count: u64) {
        self[from] = self[from].wrapping_sub(count);
        self.add(to, count);
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
        self.read(other.entries);
        self.exceeded = self.exceeded || other.exceeded;
        for class in EntryClass::ALL {
            self.add(class, other[class]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typescript_knows_the_same_classes() {
        let header = concat!(env!("CARGO_MANIFEST_DIR"), "/../napi/header.d.cts");
        let text = std::fs::read_to_string(header).expect("read");
        let (_, from) = text
            .split_once("export type BindingEntryClassName =\n")
            .expect("the union");
        let names: Vec<&str> = from
            .lines()
            .map_while(|line| line.strip_prefix("  | '")?.strip_suffix('\''))
            .collect();
        assert_eq!(names, EntryClass::ALL.map(EntryClass::as_str));
    }
}

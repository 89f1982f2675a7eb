//! Faults: parts of the debug information that cannot be read.

use std::cell::Cell;
use std::fmt;

use gimli::SectionId;

use crate::unit_index::UnitIndex;

/// A part of a section that cannot be read, so that its content is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fault {
    /// Name of the section, `.debug_line` for example.
    pub section: &'static str,
    /// Description of the fault, as the rest of a sentence that begins with the section.
    pub what: &'static str,
}

impl Fault {
    /// The header of a unit cannot be read, so this unit and the units after it are lost.
    pub const UNREADABLE_UNIT: Self = Self {
        section: ".debug_info",
        what: "has a unit whose header cannot be read",
    };

    /// The split unit of a skeleton is missing, so its functions are lost.
    pub const NO_SPLIT_UNIT: Self = Self {
        section: ".debug_info.dwo",
        what: "of the unit was not found, or cannot be read",
    };

    pub(crate) const NO_UNIT: Self = Self {
        section: ".debug_info",
        what: "ends before a unit that .debug_aranges refers to",
    };

    pub(crate) fn new(section: SectionId, what: &'static str) -> Self {
        Self {
            section: section.name(),
            what,
        }
    }

    /// Returns the same fault in a split unit: sections of the split unit have names of their own, and other
    /// sections are those of the program.
    pub(crate) fn of_split_unit(self) -> Self {
        let section = match self.section {
            ".debug_info" => ".debug_info.dwo",
            ".debug_abbrev" => ".debug_abbrev.dwo",
            ".debug_str" => ".debug_str.dwo",
            ".debug_str_offsets" => ".debug_str_offsets.dwo",
            ".debug_rnglists" => ".debug_rnglists.dwo",
            section => section,
        };
        Self { section, ..self }
    }

    pub(crate) fn unit_ends() -> Self {
        Self::new(SectionId::DebugInfo, "has a unit that ends amid an entry")
    }

    pub(crate) fn no_abbreviation() -> Self {
        Self::new(
            SectionId::DebugAbbrev,
            "does not declare the kind of an entry by forms that are known",
        )
    }

    pub(crate) fn no_target() -> Self {
        Self::new(SectionId::DebugInfo, "ends before an entry that another one refers to")
    }

    pub(crate) fn unreadable_die() -> Self {
        Self::new(SectionId::DebugInfo, "has an entry that cannot be read")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.section, self.what)
    }
}

/// A unit with a fault: some of its functions, names or lines are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnitFault {
    /// Number of the unit; for a split unit, the number of its skeleton.
    pub unit: UnitIndex,
    /// The first fault that was found.
    pub fault: Fault,
}

/// The first fault of a unit that is being read.
#[derive(Debug, Default)]
pub struct FaultNote(Cell<Option<Fault>>);

impl FaultNote {
    /// Notes a fault, unless a fault was noted before.
    pub fn note(&self, fault: Fault) {
        if self.0.get().is_none() {
            self.0.set(Some(fault));
        }
    }

    /// Returns the value. Notes the fault that keeps the value from being read.
    pub fn value<T>(&self, read: Result<T, Fault>) -> Option<T> {
        read.inspect_err(|fault| self.note(*fault)).ok()
    }

    /// Returns the fault that was noted, and forgets it.
    pub fn take(&self) -> Option<Fault> {
        self.0.take()
    }
}

//! Diagnostics of the search for debug information: the files that were found, and the problems.

use std::fmt;
use std::path::PathBuf;

use elf::{LayoutProblem, SymbolFileProblem};

/// The way in which a debug file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugFileSource {
    /// The file was in a build-id directory.
    BuildId,
    /// The section `.gnu_debuglink` names the file.
    DebugLink,
    /// The file has the same path below a debug directory as the named file below the root.
    Path,
    /// The section `.gnu_debugaltlink` names the file.
    Supplementary,
    /// The file was fetched from a debuginfod server.
    Debuginfod,
}

/// Formats of debug information that this crate does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugFormat {
    /// `.stab`, written by tcc and gcc -gstabs.
    Stabs,
    /// `.debug`, DWARF before version 2.
    Dwarf1,
    /// `.ctf`: types of C without line information.
    Ctf,
    /// `.BTF`: types of C without line information.
    Btf,
    /// `.gnu_debugdata`: a compressed symbol table, which distributions leave in stripped programs.
    MiniDebugInfo,
}

impl fmt::Display for DebugFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stabs => "STABS",
            Self::Dwarf1 => "DWARF 1",
            Self::Ctf => "CTF",
            Self::Btf => "BTF",
            Self::MiniDebugInfo => "MiniDebugInfo",
        })
    }
}

/// Why a candidate was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The CRC-32 in the debug link is not that of the file.
    Crc {
        /// CRC-32 in the link.
        expected: u32,
        /// CRC-32 of the file.
        found: u32,
    },
    /// The file belongs to another build.
    BuildId {
        /// Build id that was requested.
        expected: Vec<u8>,
        /// Build id of the file; `None` if it has none.
        found: Option<Vec<u8>>,
    },
    /// The file has no `.debug_info`.
    NoDebugInfo,
    /// The file has no `.symtab`.
    NoSymbols,
    /// The symbols of the file do not fit the binary.
    OtherSymbols(SymbolFileProblem),
    /// The file cannot be read as ELF.
    Unreadable(String),
}

/// A fact that users should know. None of these facts stops the work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// The debug information comes from another file than the named one.
    DebugFile {
        /// Path of the file.
        path: PathBuf,
        /// The way in which the file was found.
        source: DebugFileSource,
    },
    /// A file with the right name was rejected.
    CandidateRejected {
        /// Path of the file.
        path: PathBuf,
        /// Why the file was rejected.
        reason: Rejection,
    },
    /// The file that `.gnu_debugaltlink` names was not found, so the names and functions in that file are lost.
    SupplementaryMissing {
        /// Path in the link.
        name: String,
        /// Build id or checksum of the file.
        id: Vec<u8>,
    },
    /// The file has no DWARF, but debug information of another format.
    OtherFormat {
        /// Path of the file.
        path: PathBuf,
        /// Format of the debug information.
        format: DebugFormat,
    },
    /// A split unit was not found, so its functions are lost.
    DwoMissing {
        /// Name of the file with the unit, `DW_AT_dwo_name`.
        name: String,
        /// Path of the package in which the unit was looked for, or of the package that the caller named.
        package: Option<PathBuf>,
        /// Why the file that should have the unit cannot be read.
        reason: Option<String>,
    },
    /// The package of split units cannot be used.
    UnreadablePackage {
        /// Path of the package.
        path: PathBuf,
        /// Why the package cannot be used.
        reason: String,
    },
    /// The caller named a package of split units, and the debug information has no skeleton unit.
    PackageUnused {
        /// Path of the package.
        path: PathBuf,
    },
    /// A section cannot be read, so it counts as empty.
    UnreadableSection {
        /// Path of the file.
        path: PathBuf,
        /// Name of the section.
        section: String,
        /// Why the section cannot be read.
        reason: String,
    },
    /// The copy of a relocatable debug file is incomplete or inexact.
    Layout {
        /// Path of the file.
        path: PathBuf,
        /// The problem with the copy.
        problem: LayoutProblem,
    },
    /// The header of a unit is malformed, so this unit and the units after it are lost.
    UnreadableUnits {
        /// Path of the file.
        path: PathBuf,
        /// Number of units before the malformed header.
        units: usize,
        /// Why the header cannot be read.
        reason: String,
    },
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crc { expected, found } => {
                write!(f, "its CRC-32 is {found:08x}, expected {expected:08x}")
            }
            Self::BuildId { expected, found } => match found {
                Some(found) => {
                    write!(f, "its build id is {}, expected {}", Hex(found), Hex(expected))
                }
                None => write!(f, "it has no build id, expected {}", Hex(expected)),
            },
            Self::NoDebugInfo => f.write_str("it has no .debug_info"),
            Self::NoSymbols => f.write_str("it has no .symtab"),
            Self::OtherSymbols(problem) => problem.fmt(f),
            Self::Unreadable(reason) => f.write_str(reason),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DebugFile { path, source } => {
                let how = match source {
                    DebugFileSource::BuildId => "found by build id",
                    DebugFileSource::DebugLink => "found by debug link",
                    DebugFileSource::Path => "found by path, with the same build id",
                    DebugFileSource::Supplementary => "found by supplementary link",
                    DebugFileSource::Debuginfod => "fetched from a debuginfod server",
                };
                write!(f, "debug information from {}, {how}", path.display())
            }
            Self::CandidateRejected { path, reason } => {
                write!(f, "{} is not used: {reason}", path.display())
            }
            Self::SupplementaryMissing { name, id } => {
                write!(
                    f,
                    "the file {name} (build id {}), to which dwz moved a part of the debug information, was not found",
                    Hex(id)
                )
            }
            Self::DwoMissing { name, package, reason } => match (package, reason) {
                (None, None) => write!(f, "the split debug information {name} was not found"),
                (None, Some(reason)) => write!(f, "the split debug information {name} cannot be read: {reason}"),
                (Some(package), None) => write!(
                    f,
                    "{} does not have the split debug information {name} of this build",
                    package.display()
                ),
                (Some(package), Some(reason)) => write!(
                    f,
                    "the split debug information {name} was not found, and the package {} cannot be read: {reason}",
                    package.display()
                ),
            },
            Self::OtherFormat { path, format } => {
                write!(
                    f,
                    "the debug information of {} is {format}; only DWARF is read",
                    path.display()
                )
            }
            Self::UnreadablePackage { path, reason } => {
                write!(f, "the package {} cannot be read: {reason}", path.display())
            }
            Self::PackageUnused { path } => write!(
                f,
                "the package {} is not used: the debug information of the program is not split",
                path.display()
            ),
            Self::UnreadableSection { path, section, reason } => {
                write!(f, "{}: section {section}: {reason}", path.display())
            }
            Self::Layout { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::UnreadableUnits { path, units, reason } => write!(
                f,
                "{}: .debug_info is malformed after unit {units}: {reason}",
                path.display()
            ),
        }
    }
}

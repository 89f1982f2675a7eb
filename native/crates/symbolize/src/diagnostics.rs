//! What went less than well while debug information was found, and where it was found.

use std::fmt;
use std::path::PathBuf;

use elf::{LayoutProblem, SymbolFileProblem};

/// How a debug file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugFileSource {
    /// In a build-id directory.
    BuildId,
    /// Through `.gnu_debuglink`.
    DebugLink,
    /// Below a debug directory, where the named file is below the root.
    Path,
    /// Through `.gnu_debugaltlink`.
    Supplementary,
    /// Fetched from a debuginfod server.
    Debuginfod,
}

/// Formats of debug information that are not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DebugFormat {
    /// `.stab`, of tcc and of gcc -gstabs.
    Stabs,
    /// `.debug`, DWARF before version 2.
    Dwarf1,
    /// `.ctf`: types of C without lines.
    Ctf,
    /// `.BTF`: types of C without lines.
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

/// Why a candidate was passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rejection {
    /// The debug link's CRC-32 is not the file's.
    Crc {
        /// In the link.
        expected: u32,
        /// Of the file.
        found: u32,
    },
    /// Another build's file.
    BuildId {
        /// Asked for.
        expected: Vec<u8>,
        /// The file's, if it has one.
        found: Option<Vec<u8>>,
    },
    /// The file has no `.debug_info`.
    NoDebugInfo,
    /// The file has no `.symtab`.
    NoSymbols,
    /// The symbols are not those of the binary.
    OtherSymbols(SymbolFileProblem),
    /// The file cannot be read as ELF.
    Unreadable(String),
}

/// Something worth telling the user; none of it stops the work.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Diagnostic {
    /// Debug information comes from a file other than the named one.
    DebugFile {
        /// The file.
        path: PathBuf,
        /// How it was found.
        source: DebugFileSource,
    },
    /// A file that had the right name was not used.
    CandidateRejected {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: Rejection,
    },
    /// The file that `.gnu_debugaltlink` names was not found, so names and functions in it are lost.
    SupplementaryMissing {
        /// The path in the link.
        name: String,
        /// The build id or checksum of the file.
        id: Vec<u8>,
    },
    /// The file has debug information of another format than DWARF, and no DWARF.
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// The format.
        format: DebugFormat,
    },
    /// A split unit was not found, so its functions are lost.
    DwoMissing {
        /// `DW_AT_dwo_name`.
        name: String,
        /// The package in which it was looked for, or that was named for it.
        package: Option<PathBuf>,
        /// Why the file that should have it cannot be read.
        reason: Option<String>,
    },
    /// The package of split units cannot be used.
    UnreadablePackage {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A section cannot be read and counts as empty.
    UnreadableSection {
        /// The file.
        path: PathBuf,
        /// The section's name.
        section: String,
        /// Why.
        reason: String,
    },
    /// A relocatable debug file is not all that it should be.
    Layout {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: LayoutProblem,
    },
    /// A unit's header is malformed; it and the units behind it are lost.
    UnreadableUnits {
        /// The file.
        path: PathBuf,
        /// How many units came before.
        units: usize,
        /// Why.
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
            Self::UnreadableSection { path, section, reason } => {
                write!(f, "{}: section {section}: {reason}", path.display())
            }
            Self::Layout { path, problem } => write!(f, "{}: {problem}", path.display()),
            Self::UnreadableUnits { path, units, reason } => write!(
                f,
                "{}: .debug_info is malformed behind unit {units}: {reason}",
                path.display()
            ),
        }
    }
}

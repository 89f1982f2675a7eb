//! Files that are taken for sample profiles and are something else.

use std::fmt;

/// Something that is not a sample profile but is sometimes taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Foreign {
    /// No bytes at all.
    Empty,
    /// Nothing known.
    Unknown,
    /// LLVM's compact binary encoding, which LLVM 17 dropped.
    CompactBinary,
    /// A sample profile encoding that this version does not know.
    UnknownSampleEncoding(u8),
    /// What a program built with `-fprofile-generate` writes (`.profraw`).
    RawInstrumentation,
    /// What `llvm-profdata merge` makes of those (`.profdata`).
    IndexedInstrumentation,
    /// The text form of an instrumentation profile.
    TextInstrumentation,
    /// What a program built with `-fmemory-profile` writes.
    RawMemory,
    /// GCC's coverage counts, or an AutoFDO profile for GCC.
    Gcov,
    /// GCC's coverage notes.
    GcovNotes,
    /// What `perf record` writes.
    PerfData,
    /// An executable or object file.
    Elf,
    /// A library of object files.
    Archive,
    /// LLVM bitcode.
    Bitcode,
    /// A file compressed as a whole.
    Compressed(&'static str),
    /// JSON, such as `llvm-profdata show --json` prints.
    Json,
}

impl Foreign {
    /// Whether it is a sample profile, though in an encoding that is not read.
    #[must_use]
    pub fn is_sample_profile(self) -> bool {
        matches!(self, Self::CompactBinary | Self::UnknownSampleEncoding(_))
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Empty => "an empty file",
            Self::Unknown => "of an unknown format",
            Self::CompactBinary => "a sample profile in LLVM's compact binary encoding, which LLVM 17 dropped",
            Self::UnknownSampleEncoding(encoding) => {
                return write!(f, "a sample profile in the unknown encoding {encoding:#04x}");
            }
            Self::RawInstrumentation => "a raw instrumentation profile (.profraw)",
            Self::IndexedInstrumentation => "an instrumentation profile (.profdata)",
            Self::TextInstrumentation => "an instrumentation profile in text form",
            Self::RawMemory => "a raw memory profile",
            Self::Gcov => "GCC coverage data or an AutoFDO profile for GCC (gcov)",
            Self::GcovNotes => "GCC coverage notes (.gcno)",
            Self::PerfData => "a perf.data file",
            Self::Elf => "an ELF file",
            Self::Archive => "an archive of object files",
            Self::Bitcode => "LLVM bitcode",
            Self::Compressed(with) => return write!(f, "a file compressed with {with}"),
            Self::Json => "JSON",
        };
        f.write_str(what)
    }
}

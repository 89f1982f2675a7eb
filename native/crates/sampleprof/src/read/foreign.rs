//! Files that are sometimes taken for sample profiles and are not.

use std::fmt;

/// A kind of file that is not a sample profile but is sometimes taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Foreign {
    /// A file without any bytes.
    Empty,
    /// A file of an unknown format.
    Unknown,
    /// A sample profile in LLVM's compact binary encoding, which LLVM 17 dropped.
    CompactBinary,
    /// A sample profile in an encoding that is not known here, with the number of the encoding.
    UnknownSampleEncoding(u8),
    /// A profile that a program built with `-fprofile-generate` writes (`.profraw`).
    RawInstrumentation,
    /// A profile that `llvm-profdata merge` makes of `.profraw` files (`.profdata`).
    IndexedInstrumentation,
    /// The text form of an instrumentation profile.
    TextInstrumentation,
    /// A profile that a program built with `-fmemory-profile` writes.
    RawMemory,
    /// GCC's coverage counts, or an AutoFDO profile for GCC.
    Gcov,
    /// GCC's coverage notes.
    GcovNotes,
    /// A Parquet file, such as a trace shard.
    Parquet,
    /// A recording that `perf record` wrote.
    PerfData,
    /// An executable or object file.
    Elf,
    /// A library of object files.
    Archive,
    /// LLVM bitcode.
    Bitcode,
    /// A file that is compressed as a whole, with the name of the compression.
    Compressed(&'static str),
    /// JSON, such as `llvm-profdata show --json` prints.
    Json,
}

impl Foreign {
    /// Returns true if the file is a sample profile, though in an encoding that is not read.
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
            Self::Parquet => "a Parquet file, perhaps traces",
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

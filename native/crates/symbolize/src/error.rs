//! Errors that make debug information unusable as a whole. Smaller problems are [`crate::Diagnostic`]s.

use std::path::PathBuf;

/// Why no table could be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolizeError {
    /// A file that the caller named could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Error of the system.
        source: std::io::Error,
    },
    /// The file is no ELF object that this crate can read.
    #[error("{}: not a readable ELF object: {source}", path.display())]
    NotElf {
        /// Path of the file.
        path: PathBuf,
        /// Error of the ELF reader.
        source: object::Error,
    },
    /// The byte order of the file is big endian. Only little-endian targets are supported.
    #[error("{}: big-endian ELF, expected little-endian", path.display())]
    BigEndian {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file cannot be decompressed, or its sections cannot be given addresses.
    #[error(transparent)]
    Image(#[from] elf::ImageError),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

//! Why debug information cannot be used at all. What can be worked around is a [`crate::Diagnostic`].

use std::path::PathBuf;

/// Why no table could be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolizeError {
    /// A file that was asked for by name could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no ELF object that this crate can read.
    #[error("{}: not a readable ELF object: {source}", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// What the ELF reader said.
        source: object::Error,
    },
    /// The file's byte order is big endian; only little-endian targets are supported.
    #[error("{}: big-endian ELF, expected little-endian", path.display())]
    BigEndian {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be uncompressed, or given addresses.
    #[error(transparent)]
    Image(#[from] elf::ImageError),
    /// The caller's hook asked to stop.
    #[error("cancelled")]
    Cancelled,
}

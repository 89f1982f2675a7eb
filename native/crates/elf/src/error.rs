//! Errors of files that are to be read as executable images.

use std::io;
use std::path::PathBuf;

/// Why a file cannot serve as an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file is missing or cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// The error that the operating system returned.
        source: io::Error,
    },
    /// The path names a directory, a device or a pipe.
    #[error("{}: is {found}, expected an ELF file", path.display())]
    NotAFile {
        /// The path that was to be opened.
        path: PathBuf,
        /// Kind of the thing at the path, with its article: "a directory", for example.
        found: &'static str,
    },
    /// The file does not begin with the ELF magic number.
    #[error("{}: is {found}, expected an ELF file", path.display())]
    NotElf {
        /// Path of the file.
        path: PathBuf,
        /// Type of the file, as its first bytes suggest.
        found: &'static str,
    },
    /// The file is an AArch64 file of the 32-bit class (ILP32).
    #[error("{}: is a 32-bit ELF file for AArch64 (ILP32); of 32-bit files only those for x86 are supported", path.display())]
    Class32 {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is an ELF file with big-endian data.
    #[error("{}: is a big-endian ELF file, only little-endian ones are supported", path.display())]
    BigEndian {
        /// Path of the file.
        path: PathBuf,
    },
    /// The file is an ELF file for a machine whose instructions this crate does not decode.
    #[error("{}: is for ELF machine {machine} ({name}), expected x86-64 (62), i386 (3) or AArch64 (183)", path.display())]
    UnsupportedMachine {
        /// Path of the file.
        path: PathBuf,
        /// Number of the machine, `e_machine`.
        machine: u16,
        /// Name of the machine in the ELF registry, or "unknown".
        name: &'static str,
    },
    /// The file is an ELF file, but no executable, shared object, kernel or kernel module.
    #[error("{}: is {found}, expected an executable, shared object, vmlinux or kernel module", path.display())]
    UnsupportedType {
        /// Path of the file.
        path: PathBuf,
        /// Type of the file that `e_type` states.
        found: &'static str,
    },
    /// The file ends before something that its headers describe.
    #[error("{}: truncated: {what} ends at offset {end:#x}, the file at {size:#x}", path.display())]
    Truncated {
        /// Path of the file.
        path: PathBuf,
        /// Name of the part that is cut off.
        what: String,
        /// Offset at which that part should end, in bytes.
        end: u64,
        /// Length of the file in bytes.
        size: u64,
    },
    /// The headers contradict each other or the ELF specification.
    #[error("{}: malformed ELF file: {what}", path.display())]
    Malformed {
        /// Path of the file.
        path: PathBuf,
        /// Description of the contradiction.
        what: String,
    },
    /// The file is compressed, and its content cannot be decompressed.
    #[error("{}: compressed file: {reason}", path.display())]
    Compressed {
        /// Path of the file.
        path: PathBuf,
        /// Description of the damage.
        reason: String,
    },
    /// No `PT_LOAD` segment of the file is executable.
    #[error("{}: no executable segment found", path.display())]
    NoExecutableSegment {
        /// Path of the file.
        path: PathBuf,
    },
    /// The executable sections lie further apart than 32-bit offsets reach.
    #[error("{}: executable sections span {span:#x} bytes, at most {limit:#x} are supported", path.display())]
    CodeSpan {
        /// Path of the file.
        path: PathBuf,
        /// Number of bytes from the lowest to the highest executable byte.
        span: u64,
        /// Longest span that is supported, in bytes.
        limit: u64,
    },
}

impl ImageError {
    /// Makes the error for a file that [`map_file`](crate::map_file) could not open.
    pub(crate) fn from_open_error(path: &std::path::Path, source: io::Error) -> Self {
        let path = path.to_owned();
        if source.kind() != io::ErrorKind::InvalidInput {
            return Self::Io { path, source };
        }
        let found = if path.is_dir() {
            "a directory"
        } else {
            "no regular file"
        };
        Self::NotAFile { path, found }
    }
}

//! What can be wrong with a file that should be an executable image.

use std::io;
use std::path::PathBuf;

/// Why a file can't serve as an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file is missing or can't be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file asked for.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The path names a directory, device or pipe.
    #[error("{}: is {found}, expected an ELF file", path.display())]
    NotAFile {
        /// The path asked for.
        path: PathBuf,
        /// What lies there instead.
        found: &'static str,
    },
    /// The file doesn't begin with the ELF magic number.
    #[error("{}: is {found}, expected an ELF file", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
        /// What its first bytes look like.
        found: &'static str,
    },
    /// An AArch64 file of the 32-bit class (ILP32).
    #[error("{}: is a 32-bit ELF file for AArch64 (ILP32); of 32-bit files only those for x86 are supported", path.display())]
    Class32 {
        /// The file.
        path: PathBuf,
    },
    /// An ELF file with big-endian data.
    #[error("{}: is a big-endian ELF file, only little-endian ones are supported", path.display())]
    BigEndian {
        /// The file.
        path: PathBuf,
    },
    /// An ELF file for a machine whose instructions aren't known here.
    #[error("{}: is for ELF machine {machine} ({name}), expected x86-64 (62), i386 (3) or AArch64 (183)", path.display())]
    UnsupportedMachine {
        /// The file.
        path: PathBuf,
        /// `e_machine`.
        machine: u16,
        /// Its name in the ELF registry, or "unknown".
        name: &'static str,
    },
    /// An ELF file that is no executable, shared object, kernel or kernel module.
    #[error("{}: is {found}, expected an executable, shared object, vmlinux or kernel module", path.display())]
    UnsupportedType {
        /// The file.
        path: PathBuf,
        /// What `e_type` says it is.
        found: &'static str,
    },
    /// The file ends before something its headers promise.
    #[error("{}: truncated: {what} ends at offset {end:#x}, the file at {size:#x}", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The part that is cut off.
        what: String,
        /// Where that part should end.
        end: u64,
        /// Length of the file.
        size: u64,
    },
    /// The headers contradict themselves or the ELF specification.
    #[error("{}: malformed ELF file: {what}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The contradiction.
        what: String,
    },
    /// The file is compressed, and its content can't be had.
    #[error("{}: compressed file: {reason}", path.display())]
    Compressed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No `PT_LOAD` segment is executable.
    #[error("{}: no executable segment found", path.display())]
    NoExecutableSegment {
        /// The file.
        path: PathBuf,
    },
    /// The executable sections lie further apart than 32-bit offsets reach.
    #[error("{}: executable sections span {span:#x} bytes, at most {limit:#x} are supported", path.display())]
    CodeSpan {
        /// The file.
        path: PathBuf,
        /// From the lowest to the highest executable byte.
        span: u64,
        /// The longest span supported.
        limit: u64,
    },
}

impl ImageError {
    /// What [`map_file`](crate::map_file) could not open.
    pub(crate) fn of_opening(path: &std::path::Path, source: io::Error) -> Self {
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

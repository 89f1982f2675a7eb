//! Errors that concern a whole input. Faults in a single record are counted and give no error.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::interruptible::Interruptible;

/// The reason why an input cannot be read, or not further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system could not open or read the input.
    #[error("{name}: {source}")]
    Io {
        /// Name of the input.
        name: String,
        /// The error that the operating system returned.
        #[source]
        source: io::Error,
    },
    /// The file became shorter while it was being read.
    #[error("{name}: the file was {expected} bytes long when opened, but now ends at byte {found}")]
    FileShrank {
        /// Name of the input.
        name: String,
        /// Size of the file now, in bytes.
        found: u64,
        /// Size of the file when it was opened, in bytes.
        expected: u64,
    },
    /// The file was written to while it was being read.
    #[error("{name}: the records from offset {offset:#x} on changed while the file was being read")]
    FileChanged {
        /// Name of the input.
        name: String,
        /// Offset of the changed records, in bytes.
        offset: u64,
    },
    /// The magic number is not that of perf.data.
    #[error("{name}: not a perf.data file: {found}")]
    NotPerfData {
        /// Name of the input.
        name: String,
        /// The kind of file that the input looks like.
        found: Lookalike,
    },
    /// The input ends inside the file header.
    #[error("{name}: the perf.data header is cut off: {found} bytes, expected at least {expected}")]
    HeaderTooShort {
        /// Name of the input.
        name: String,
        /// Number of bytes in the input.
        found: u64,
        /// Number of bytes in a header.
        expected: u64,
    },
    /// The size of attr entries in the header is too small for a `perf_event_attr`.
    #[error("{name}: attr entries of {found} bytes, expected at least 80 (a 64-byte perf_event_attr and its ids)")]
    AttrEntrySize {
        /// Name of the input.
        name: String,
        /// The size in the header, in bytes.
        found: u64,
    },
    /// A section that the file needs lies outside of the file.
    #[error(
        "{name}: the {section} section (offset {offset}, {size} bytes) does not lie inside the file of {file_size} bytes"
    )]
    SectionOutOfFile {
        /// Name of the input.
        name: String,
        /// Name of the section.
        section: &'static str,
        /// Offset of the section in the header, in bytes.
        offset: u64,
        /// Size of the section in the header, in bytes.
        size: u64,
        /// Size of the file, in bytes.
        file_size: u64,
    },
    /// The header states the same place for attrs and records. `perf inject` of perf 6.1 on a pipe writes this.
    #[error(
        "{name}: the attr section (offset {attrs_offset}, {attrs_size} bytes) overlaps the data section (offset {data_offset})"
    )]
    AttrsOverlapData {
        /// Name of the input.
        name: String,
        /// Offset of the attr section, in bytes.
        attrs_offset: u64,
        /// Size of the attr section, in bytes.
        attrs_size: u64,
        /// Offset of the data section, in bytes.
        data_offset: u64,
    },
    /// In a file that comes through a pipe, the records begin too late: the bytes before them cannot be kept.
    #[error("{name}: records begin at offset {found}; from a pipe, a file can be read if they begin before {limit}")]
    PrefixTooLong {
        /// Name of the input.
        name: String,
        /// Offset of the first record, in bytes.
        found: u64,
        /// Largest allowed offset of the first record, in bytes.
        limit: u64,
    },
    /// In a file that comes through a pipe, the events are described after the records. Some versions of `perf
    /// inject` write this.
    #[error(
        "{name}: the events are described after the records; from a pipe such a file cannot be read, only by its path"
    )]
    EventsBehindRecords {
        /// Name of the input.
        name: String,
    },
    /// The file declares no event.
    #[error("{name}: the file declares no event")]
    NoEvents {
        /// Name of the input.
        name: String,
    },
    /// The input is a directory without a file `data`.
    #[error("{name}: a directory, but not one that `perf record` wrote: it holds no file `data`")]
    NotPerfDirectory {
        /// Name of the input.
        name: String,
    },
    /// The flag that cancels the reading was set.
    #[error("cancelled")]
    Cancelled,
}

/// The kind of file that an input which is not perf.data looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookalike {
    /// An empty file.
    Empty,
    /// An ELF object.
    Elf,
    /// A gzip stream.
    Gzip,
    /// An xz stream.
    Xz,
    /// A zstd frame.
    Zstd,
    /// A Parquet file, such as a trace shard.
    Parquet,
    /// A sample profile of LLVM, which is the result and not the input of this program.
    SampleProfile,
    /// Plain text, which may be the output of `perf script`.
    Text,
    /// Another kind of file, with its first bytes.
    Unknown([u8; 8]),
}

impl std::fmt::Display for Lookalike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Elf => f.write_str("it is an ELF file"),
            Self::Gzip => f.write_str("it is compressed with gzip"),
            Self::Xz => f.write_str("it is compressed with xz"),
            Self::Zstd => f.write_str("it is compressed with zstd as a whole"),
            Self::Parquet => f.write_str("it is a Parquet file, perhaps traces"),
            Self::SampleProfile => f.write_str("it is a finished sample profile"),
            Self::Text => f.write_str("it is text, perhaps the output of perf script"),
            Self::Unknown(bytes) => {
                f.write_str("it begins with the bytes")?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
        }
    }
}

/// First bytes that all encodings of LLVM's sample profile share: `SPROF42` and a byte for the encoding, as one
/// ULEB128 number (LLVM: `SPMagic`). The byte for the encoding lies in the first two bytes.
const SAMPLE_PROFILE: &[u8] = b"\xd0\xb1\xf4\xc9\x94\xa8";

impl Lookalike {
    /// Guesses the kind of a file from its first bytes.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [] => Self::Empty,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'A', b'R', b'1', ..] => Self::Parquet,
            [_, _, rest @ ..] if rest.starts_with(SAMPLE_PROFILE) => Self::SampleProfile,
            _ if start
                .iter()
                .all(|&b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..)) =>
            {
                Self::Text
            }
            _ => {
                let mut bytes = [0; 8];
                let len = start.len().min(8);
                bytes[..len].copy_from_slice(&start[..len]);
                Self::Unknown(bytes)
            }
        }
    }
}

impl Error {
    /// Makes the error of a read that failed. `name` is the name of the input.
    pub(crate) fn of_read(source: io::Error, name: &str) -> Self {
        if Interruptible::is_interruption(&source) {
            return Self::Cancelled;
        }
        Self::Io {
            name: name.to_owned(),
            source,
        }
    }
}

/// Returns [`Error::Cancelled`] if the flag `cancel` is set.
pub(crate) fn check_cancelled(cancel: Option<&AtomicBool>) -> Result<(), Error> {
    match cancel {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Error::Cancelled),
        _ => Ok(()),
    }
}

//! What can go wrong with a whole input. What goes wrong with a single record is counted, not raised.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why an input cannot be read (further).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Opening or reading failed.
    #[error("{name}: {source}")]
    Io {
        /// The input's name.
        name: String,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The file got shorter while it was being read.
    #[error("{name}: the file was {expected} bytes long when opened, but now ends at byte {found}")]
    FileShrank {
        /// The input's name.
        name: String,
        /// Where it ends now.
        found: u64,
        /// Where it ended before.
        expected: u64,
    },
    /// The file was written to while it was being read.
    #[error("{name}: the records from offset {offset:#x} on changed while the file was being read")]
    FileChanged {
        /// The input's name.
        name: String,
        /// Where the changed records begin.
        offset: u64,
    },
    /// The magic number is not perf.data's.
    #[error("{name}: not a perf.data file: {found}")]
    NotPerfData {
        /// The input's name.
        name: String,
        /// What it looks like instead.
        found: Lookalike,
    },
    /// The input ends inside the file header.
    #[error("{name}: the perf.data header is cut off: {found} bytes, expected at least {expected}")]
    HeaderTooShort {
        /// The input's name.
        name: String,
        /// Bytes there are.
        found: u64,
        /// Bytes a header has.
        expected: u64,
    },
    /// The header's attr entry size cannot hold a perf_event_attr.
    #[error("{name}: attr entries of {found} bytes, expected at least 80 (a 64-byte perf_event_attr and its ids)")]
    AttrEntrySize {
        /// The input's name.
        name: String,
        /// The size in the header.
        found: u64,
    },
    /// A section that must be there lies outside the file.
    #[error(
        "{name}: the {section} section (offset {offset}, {size} bytes) does not lie inside the file of {file_size} bytes"
    )]
    SectionOutOfFile {
        /// The input's name.
        name: String,
        /// Which section.
        section: &'static str,
        /// Its offset by the header.
        offset: u64,
        /// Its size by the header.
        size: u64,
        /// The size of the file.
        file_size: u64,
    },
    /// Attrs and records are said to be at the same place (perf 6.1's `perf inject` on a pipe writes this).
    #[error(
        "{name}: the attr section (offset {attrs_offset}, {attrs_size} bytes) overlaps the data section (offset {data_offset})"
    )]
    AttrsOverlapData {
        /// The input's name.
        name: String,
        /// Offset of the attr section.
        attrs_offset: u64,
        /// Size of the attr section.
        attrs_size: u64,
        /// Offset of the data section.
        data_offset: u64,
    },
    /// A file that comes through a pipe has its records so late that what precedes them cannot be kept.
    #[error("{name}: records begin at offset {found}; from a pipe, a file can be read if they begin before {limit}")]
    PrefixTooLong {
        /// The input's name.
        name: String,
        /// Where the records begin.
        found: u64,
        /// Where they must begin.
        limit: u64,
    },
    /// A file that comes through a pipe describes its events behind the records (some `perf inject` writes this).
    #[error(
        "{name}: the events are described behind the records; from a pipe such a file cannot be read, only by its path"
    )]
    EventsBehindRecords {
        /// The input's name.
        name: String,
    },
    /// The file declares no event.
    #[error("{name}: the file declares no event")]
    NoEvents {
        /// The input's name.
        name: String,
    },
    /// A directory without a file `data`.
    #[error("{name}: a directory, but not one that `perf record` wrote: it holds no file `data`")]
    NotPerfDirectory {
        /// The input's name.
        name: String,
    },
    /// The flag given to [`crate::PerfData::set_cancel`] was set.
    #[error("cancelled")]
    Cancelled,
}

/// What a file that is not perf.data looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookalike {
    /// Nothing in it.
    Empty,
    /// An ELF object.
    Elf,
    /// A gzip stream.
    Gzip,
    /// An xz stream.
    Xz,
    /// A zstd frame.
    Zstd,
    /// LLVM's sample profile, the result instead of the input.
    SampleProfile,
    /// Plain text, perhaps what `perf script` printed.
    Text,
    /// Something else, with its first bytes.
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
            Self::SampleProfile => f.write_str("it is a finished sample profile"),
            Self::Text => f.write_str("it is text, perhaps the output of perf script"),
            Self::Unknown(bytes) => {
                f.write_str("it begins with the bytes")?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
        }
    }
}

/// What the first bytes of all encodings of LLVM's sample profile share: `SPROF42` and a byte for the encoding, as one ULEB128 number
/// (LLVM: `SPMagic`). The byte for the encoding is in the first two.
const SAMPLE_PROFILE: &[u8] = b"\xd0\xb1\xf4\xc9\x94\xa8";

impl Lookalike {
    /// Guesses from the first bytes of a file.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [] => Self::Empty,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
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

/// Ends work that nobody waits for any more.
pub(crate) fn check_cancelled(cancel: Option<&AtomicBool>) -> Result<(), Error> {
    match cancel {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(Error::Cancelled),
        _ => Ok(()),
    }
}

use std::fmt;

use thiserror::Error;

use super::foreign::Foreign;
use crate::MAX_INLINE_DEPTH;

/// The reason why a file could not be read, with the place in the file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}: {place}{kind}")]
#[non_exhaustive]
pub struct ReadError {
    /// The name that the caller gave for the file.
    pub file: String,
    /// Place in the file.
    pub place: Place,
    /// What is wrong at that place.
    pub kind: ReadErrorKind,
}

/// A place in a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The file as a whole.
    File,
    /// A line of a text profile, counted from 1.
    Line(u64),
    /// A byte of a binary profile, counted from the start of the file.
    Offset {
        /// The section or part that holds the byte.
        section: &'static str,
        /// Offset of the byte in the file.
        offset: u64,
    },
    /// A byte of the decompressed content of a compressed section.
    Decompressed {
        /// Name of the section.
        section: &'static str,
        /// Offset of the byte in the decompressed content.
        offset: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => Ok(()),
            Self::Line(line) => write!(f, "line {line}: "),
            Self::Offset { section, offset } => write!(f, "{section} at offset {offset:#x}: "),
            Self::Decompressed { section, offset } => {
                write!(f, "{section} at offset {offset:#x} of its decompressed content: ")
            }
        }
    }
}

/// The reason why a file could not be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The file is not a sample profile in an encoding that is read.
    #[error("{_0}{ending}", ending = if _0.is_sample_profile() { "" } else { ", not a sample profile" })]
    Foreign(Foreign),
    /// The file has another version of the format, a newer or an older one.
    #[error("version {found} of the format; only {} is known", crate::binary::VERSION)]
    UnsupportedVersion {
        /// The version in the file.
        found: u64,
    },
    /// A section has a flag that LLVM 22 does not define. A newer LLVM may store such a section in another way.
    #[error("{section} has the flags {flags:#x}, which LLVM 22 does not define")]
    UnknownFlags {
        /// LLVM's name of the section.
        section: &'static str,
        /// The unknown bits. The lower 32 bits mean the same for every section; the upper 32 bits depend on the
        /// section.
        flags: u64,
    },
    /// The profile is valid, but [`Profile`](crate::Profile) cannot hold a part of it.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
    /// The data ends inside a number.
    #[error("the data ends inside a number")]
    Truncated,
    /// The data ends before the NUL that terminates a name.
    #[error("the data ends inside a name")]
    TruncatedName,
    /// A number has more bits than its field.
    #[error("a number exceeds {0} bits")]
    NumberTooLarge(u32),
    /// A list states more entries than the remaining bytes can hold.
    #[error("{count} {what} announced, but only {remaining} bytes follow")]
    CountTooLarge {
        /// Kind of the entries.
        what: &'static str,
        /// Stated number of entries.
        count: u64,
        /// Number of bytes that remain.
        remaining: usize,
    },
    /// An index is beyond the table of calling contexts.
    #[error("the number {index} of a calling context, but the table has {len}")]
    ContextIndex {
        /// The index in the file.
        index: u64,
        /// Number of contexts in the table.
        len: usize,
    },
    /// A calling context has no frames, and so does not name its function either.
    #[error("a calling context without any function")]
    EmptyContext,
    /// A line of text that starts like a calling context does not name a function and its callers.
    #[error("expected '[CALLER:LINE @ ... @ NAME]:TOTAL:HEAD', found {0:?}")]
    Context(String),
    /// Some functions of the profile have calling contexts and others have none.
    #[error("some functions have calling contexts and others have not; a profile has one or the other")]
    MixedContexts,
    /// A function is inlined into a function with a calling context. Context-sensitive profiles have a function for
    /// each context in place of inlined functions.
    #[error("a function inlined into one with a calling context; a profile has one or the other")]
    InlinedInContext,
    /// An index is beyond the name table.
    #[error("the number {index} of a name, but the table has {len}")]
    NameIndex {
        /// The index in the file.
        index: u64,
        /// Number of names in the table.
        len: usize,
    },
    /// The line offset of a body record has more than 16 bits.
    #[error("line offset {0} exceeds 65535")]
    LineOffset(u64),
    /// Inlining is nested deeper than [`MAX_INLINE_DEPTH`] levels.
    #[error("inlining nested deeper than {MAX_INLINE_DEPTH} levels")]
    TooDeep,
    /// A section reaches past the end of the file.
    #[error("section of {size} bytes at offset {offset:#x} in a file of {file_size} bytes")]
    SectionOutsideFile {
        /// Offset of the section in the file.
        offset: u64,
        /// Stated size of the section, in bytes.
        size: u64,
        /// Size of the file, in bytes.
        file_size: usize,
    },
    /// A section holds more bytes than its content takes.
    #[error("{0} bytes too many")]
    TrailingBytes(usize),
    /// A compressed section states a decompressed size that deflate cannot reach.
    #[error("{compressed} compressed bytes cannot become {size}")]
    ImplausibleSize {
        /// Number of compressed bytes.
        compressed: usize,
        /// Stated size of the decompressed content, in bytes.
        size: u64,
    },
    /// The zlib stream of a compressed section is damaged.
    #[error("damaged zlib stream: {0}")]
    Decompress(String),
    /// A line of text should name a function and does not.
    #[error("expected 'NAME:TOTAL:HEAD', found {0:?}")]
    FunctionLine(String),
    /// A line of text should hold a count or an inlined callee and does not.
    #[error(
        "expected 'LINE[.DISCRIMINATOR]: COUNT[ TARGET:COUNT]*' or 'LINE[.DISCRIMINATOR]: NAME:TOTAL', found {0:?}"
    )]
    BodyLine(String),
    /// A line of text that starts with `!` is not known metadata.
    #[error("unknown metadata {0:?}")]
    Metadata(String),
    /// A count follows the metadata of a function, which has to come last.
    #[error("counts after the metadata of a function: {0:?}")]
    CountsAfterMetadata(String),
}

/// An error without the name of the file, which the caller adds.
#[derive(Debug)]
pub(crate) struct Located {
    place: Place,
    kind: ReadErrorKind,
}

impl Located {
    pub(crate) fn new(place: Place, kind: ReadErrorKind) -> Self {
        Self { place, kind }
    }

    pub(crate) fn whole_file(kind: ReadErrorKind) -> Self {
        Self::new(Place::File, kind)
    }

    pub(crate) fn in_file(self, file: &str) -> ReadError {
        ReadError {
            file: file.to_owned(),
            place: self.place,
            kind: self.kind,
        }
    }
}

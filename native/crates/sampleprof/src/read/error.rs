use std::fmt;

use thiserror::Error;

use super::foreign::Foreign;
use crate::MAX_INLINE_DEPTH;

/// Why a file could not be read, and where in it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{file}: {place}{kind}")]
#[non_exhaustive]
pub struct ReadError {
    /// The name given for the file.
    pub file: String,
    /// Where.
    pub place: Place,
    /// What.
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
        /// The part it is in.
        section: &'static str,
        /// The byte.
        offset: u64,
    },
    /// A byte of what a compressed section holds.
    Decompressed {
        /// The section.
        section: &'static str,
        /// The byte, counted from the start of the decompressed content.
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

/// What is wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// It is something else.
    #[error("{_0}{ending}", ending = if _0.is_sample_profile() { "" } else { ", not a sample profile" })]
    Foreign(Foreign),
    /// A version from the future or the past.
    #[error("version {found} of the format; only {} is known", crate::binary::VERSION)]
    UnsupportedVersion {
        /// The version in the file.
        found: u64,
    },
    /// A section that a newer LLVM writes in another way.
    #[error("{section} has the flags {flags:#x}, which LLVM 22 does not define")]
    UnknownFlags {
        /// As LLVM names it.
        section: &'static str,
        /// The bits that are not known; the lower 32 mean the same for every section, the upper 32 are the section's own.
        flags: u64,
    },
    /// A valid profile that this reader has no place for.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
    /// The bytes end too early.
    #[error("the data ends inside a number")]
    Truncated,
    /// A name is not terminated.
    #[error("the data ends inside a name")]
    TruncatedName,
    /// A number with more bits than its field.
    #[error("a number exceeds {0} bits")]
    NumberTooLarge(u32),
    /// More entries are announced than the remaining bytes can hold.
    #[error("{count} {what} announced, but only {remaining} bytes follow")]
    CountTooLarge {
        /// Of what.
        what: &'static str,
        /// How many.
        count: u64,
        /// Bytes left for them.
        remaining: usize,
    },
    /// An index beyond the table of calling contexts.
    #[error("calling context {index} of a table of {len}")]
    ContextIndex {
        /// The index.
        index: u64,
        /// Contexts in the table.
        len: usize,
    },
    /// A calling context of no frames, which has not even a function.
    #[error("a calling context without any function")]
    EmptyContext,
    /// A line of text that should name a function and its callers.
    #[error("expected '[CALLER:LINE @ ... @ NAME]:TOTAL:HEAD', found {0:?}")]
    Context(String),
    /// Functions with and without calling contexts in one profile.
    #[error("some functions have calling contexts and others have not; a profile has one or the other")]
    MixedContexts,
    /// Context-sensitive profiles have a function of its own for each context in place of inlined ones.
    #[error("a function inlined into one with a calling context; a profile has one or the other")]
    InlinedInContext,
    /// An index beyond the name table.
    #[error("name {index} of a table of {len}")]
    NameIndex {
        /// The index.
        index: u64,
        /// Names in the table.
        len: usize,
    },
    /// Line offsets of body records have 16 bits.
    #[error("line offset {0} exceeds 65535")]
    LineOffset(u64),
    /// More than [`MAX_INLINE_DEPTH`] levels.
    #[error("inlining nested deeper than {MAX_INLINE_DEPTH} levels")]
    TooDeep,
    /// A section reaches past the end of the file.
    #[error("section of {size} bytes at offset {offset:#x} in a file of {file_size} bytes")]
    SectionOutsideFile {
        /// Its offset.
        offset: u64,
        /// Its size.
        size: u64,
        /// The size of the file.
        file_size: usize,
    },
    /// A section holds more than it should.
    #[error("{0} bytes too many")]
    TrailingBytes(usize),
    /// A compressed section claims a size that deflate cannot reach.
    #[error("{compressed} compressed bytes cannot become {size}")]
    ImplausibleSize {
        /// Compressed bytes.
        compressed: usize,
        /// Claimed size.
        size: u64,
    },
    /// A compressed section does not decompress to what it should.
    #[error("damaged zlib stream: {0}")]
    Decompress(String),
    /// A line of text that should name a function.
    #[error("expected 'NAME:TOTAL:HEAD', found {0:?}")]
    FunctionLine(String),
    /// A line of text that should hold a count or an inlined callee.
    #[error(
        "expected 'LINE[.DISCRIMINATOR]: COUNT[ TARGET:COUNT]*' or 'LINE[.DISCRIMINATOR]: NAME:TOTAL', found {0:?}"
    )]
    BodyLine(String),
    /// A line of text that starts with `!`.
    #[error("unknown metadata {0:?}")]
    Metadata(String),
    /// Metadata has to come last.
    #[error("counts after the metadata of a function: {0:?}")]
    CountsAfterMetadata(String),
}

/// An error whose file is not named yet.
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

//! Why a profile cannot be written.

use thiserror::Error;

use crate::MAX_INLINE_DEPTH;

/// Why a profile cannot be written in some form.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The raw binary form has no place for checksums or contexts.
    #[error("the raw binary format cannot hold a {0} profile; use extbinary or text")]
    UnsupportedInBinary(&'static str),
    /// The name holds the byte that ends a name.
    #[error("the name {name:?} holds byte {byte:#04x}, which ends a name in this format")]
    NameHoldsTerminator {
        /// The name.
        name: String,
        /// The byte.
        byte: u8,
    },
    /// The split layout has no section for contexts.
    #[error("a context-sensitive profile cannot be written in the split layout")]
    SplitContexts,
    /// Readers refuse line offsets of more than 16 bits.
    #[error("{name:?} has counts at line offset {line_offset}; at most 65535 can be written")]
    LineOffset {
        /// The function, which may be inlined.
        name: String,
        /// The offset.
        line_offset: u32,
    },
    /// More than [`MAX_INLINE_DEPTH`] levels.
    #[error("{name:?} has inlining nested deeper than {MAX_INLINE_DEPTH} levels")]
    TooDeep {
        /// The function that is not inlined.
        name: String,
    },
}

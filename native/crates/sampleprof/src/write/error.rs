//! Errors of writing: the reasons why a profile cannot be written.

use thiserror::Error;

use crate::MAX_INLINE_DEPTH;

/// The reason why a profile cannot be written in some form.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// The raw binary form has no place for checksums or contexts.
    #[error("the raw binary format cannot hold a {0} profile; use extbinary or text")]
    UnsupportedInBinary(&'static str),
    /// A name holds the byte that ends a name in this form.
    #[error("the name {name:?} holds byte {byte:#04x}, which ends a name in this format")]
    NameHoldsTerminator {
        /// The name that holds the byte.
        name: String,
        /// The byte that ends a name.
        byte: u8,
    },
    /// The profile has contexts, and the split layout has no section for contexts.
    #[error("a context-sensitive profile cannot be written in the split layout")]
    SplitContexts,
    /// A function has a line offset of more than 16 bits, which readers refuse.
    #[error("{name:?} has counts at line offset {line_offset}; at most 65535 can be written")]
    LineOffset {
        /// Name of the function, which may be inlined.
        name: String,
        /// The line offset.
        line_offset: u32,
    },
    /// Inlining is nested deeper than [`MAX_INLINE_DEPTH`] levels.
    #[error("{name:?} has inlining nested deeper than {MAX_INLINE_DEPTH} levels")]
    TooDeep {
        /// Name of the function that is not inlined.
        name: String,
    },
}

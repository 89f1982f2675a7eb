//! Errors of decoding.

/// A malformed section, and the position of the malformed part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{section}: byte {offset}: {problem}")]
pub struct DecodeError {
    /// Name of the section.
    pub section: &'static str,
    /// Offset of the malformed part in the section, in bytes.
    pub offset: usize,
    /// The kind of the damage.
    pub problem: Problem,
}

/// The damage of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The section ends inside a record.
    #[error("the section ends inside a record")]
    Truncated,
    /// A LEB128 number does not fit into its field, which has this number of bits.
    #[error("a number of more than {0} bits")]
    NumberTooLarge(u32),
    /// Functions are inlined into each other too deeply.
    #[error("functions are inlined more than {} levels deep", crate::MAX_INLINE_DEPTH)]
    TooDeep,
    /// The section has more records than 32-bit numbers can count.
    #[error("more than 2^32 functions")]
    TooMany,
}

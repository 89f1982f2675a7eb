//! Why a section could not be decoded.

/// A section that is not what it should be, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{section}: byte {offset}: {problem}")]
pub struct DecodeError {
    /// The section's name.
    pub section: &'static str,
    /// Where in the section the bad part begins.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The section ends inside a record.
    #[error("the section ends inside a record")]
    Truncated,
    /// A LEB128 number does not fit its field.
    #[error("a number of more than {0} bits")]
    NumberTooLarge(u32),
    /// Functions inlined into each other too deep.
    #[error("functions are inlined more than {} levels deep", crate::MAX_INLINE_DEPTH)]
    TooDeep,
    /// More records than their numbers can tell apart.
    #[error("more than 2^32 functions")]
    TooMany,
}

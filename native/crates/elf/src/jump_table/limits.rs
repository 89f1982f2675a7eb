//! Limits of the search for a jump table in the code before a jump.

/// Number of instructions before an indirect jump in which its loads and the comparison of its index are searched.
pub(super) const LOOK_BACK: usize = 24;

/// Largest number of entries of a table. A longer table is not trusted.
pub(super) const MOST_ENTRIES: usize = 4096;

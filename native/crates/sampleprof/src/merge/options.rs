//! The inputs and the options of a merge.

use std::path::PathBuf;

/// Source of the bytes of an input.
#[derive(Clone, Debug)]
pub enum Content {
    /// A file, which is read when its turn comes.
    File(PathBuf),
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

/// One profile to merge.
#[derive(Clone, Debug)]
pub struct MergeInput {
    /// Name of the profile in error messages.
    pub name: String,
    /// Factor by which every count is multiplied.
    pub weight: u64,
    /// Source of the bytes of the profile.
    pub content: Content,
}

/// Options of a merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeOptions {
    /// True to leave out inputs that cannot be read. Otherwise the merge fails.
    pub keep_going: bool,
    /// True to leave out profile symbol lists.
    pub drop_symbols: bool,
    /// True to mark the result as partial. Like `llvm-profdata`, merging does not take this mark from the inputs.
    pub partial: bool,
}

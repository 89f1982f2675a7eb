//! What to merge, and how.

use std::path::PathBuf;

/// Where the bytes of an input are.
#[derive(Clone, Debug)]
pub enum Content {
    /// In a file, which is read when its turn comes.
    File(PathBuf),
    /// In memory.
    Bytes(Vec<u8>),
}

/// One profile to merge.
#[derive(Clone, Debug)]
pub struct MergeInput {
    /// What errors call it.
    pub name: String,
    /// Every count is multiplied by it.
    pub weight: u64,
    /// The profile.
    pub content: Content,
}

/// How to merge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MergeOptions {
    /// Leave out inputs that cannot be read, instead of failing.
    pub keep_going: bool,
    /// Leave out profile symbol lists.
    pub drop_symbols: bool,
    /// Mark the result as partial. Like `llvm-profdata`, merging does not take that mark from the inputs.
    pub partial: bool,
}

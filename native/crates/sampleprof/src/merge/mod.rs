//! Merging many profiles into one, in parallel and in bounded memory.
//!
//! Files are read in batches, each batch in parallel. A function's counts are added in the order of the inputs,
//! whatever thread does it, because with checksums that order matters: the first version of a function stays
//! (LLVM: `FunctionSamples::merge`). So the result does not depend on the number of threads.

mod batch;
mod input;
mod shard;

use std::ops::ControlFlow;
use std::path::PathBuf;

use thiserror::Error;

use crate::{Profile, ReadError};
use batch::Merger;

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

/// What came of merging.
#[derive(Debug, Default)]
pub struct Merged {
    /// The sum of the inputs. Flags about the meaning of counts are set if any input has them.
    pub profile: Profile,
    /// How many inputs are in it.
    pub inputs: usize,
    /// Inputs that could not be read.
    pub skipped: Vec<InputError>,
    /// How many functions, inlined ones included, were left out of some input because of their checksum.
    pub mismatch_count: u64,
    /// Some of them.
    pub mismatches: Vec<ChecksumMismatch>,
    /// Whether an input was marked as partial.
    pub partial_input: bool,
}

/// Counts that were left out because they belong to another version of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChecksumMismatch {
    /// The input.
    pub input: String,
    /// The function that is not inlined.
    pub function: String,
    /// How many functions in it were left out: itself, or some that are inlined into it.
    pub count: u64,
}

/// Why one input cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InputError {
    /// The file cannot be read.
    #[error("{file}: {source}")]
    Io {
        /// The input.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The profile is damaged or is none.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why nothing was merged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MergeError {
    /// One input is unusable.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not one input could be read.
    #[error("none of {count} profiles can be read; the first: {first}")]
    NothingUsable {
        /// How many inputs there are.
        count: usize,
        /// What is wrong with the first.
        first: InputError,
    },
    /// Their locations mean different things.
    #[error("{probe_based} is based on pseudo probes and {other} is not; they cannot be merged")]
    MixedLocations {
        /// An input with probes.
        probe_based: String,
        /// An input without.
        other: String,
    },
    /// The caller wanted no more.
    #[error("merging was cancelled")]
    Cancelled,
}

/// Adds up `inputs`.
///
/// Equals `llvm-profdata merge --sample` of LLVM 22: a profile with names and one with only their hashes merge function
/// by function under the name seen first, inlined functions and call targets stay apart.
///
/// `progress` is told after each batch how many inputs are done, and may end the work.
///
/// # Errors
/// When an input cannot be read (all of them, with [`MergeOptions::keep_going`]), or they are of different kinds.
pub fn merge(
    inputs: &[MergeInput],
    options: MergeOptions,
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Merged, MergeError> {
    let mut merger = Merger::new(options);
    let mut rest = inputs;
    while !rest.is_empty() {
        rest = merger.add_batch(rest)?;
        if progress(inputs.len() - rest.len()).is_break() {
            return Err(MergeError::Cancelled);
        }
    }
    merger.finish(inputs.len())
}

//! Merging many profiles into one, in parallel and in bounded memory.
//!
//! Files are read in batches, each batch in parallel. A function's counts are added in the order of the inputs,
//! whatever thread does it, because with checksums that order matters: the first version of a function stays
//! (LLVM: `FunctionSamples::merge`). So the result does not depend on the number of threads.

mod batch;
mod encoded;
mod input;
mod options;
mod outcome;
mod piece;
mod shard;
mod template;
mod versions;

use std::ops::ControlFlow;

use batch::Merger;
pub use options::{Content, MergeInput, MergeOptions};
pub use outcome::{ChecksumMismatch, InputError, MergeError, Merged};

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

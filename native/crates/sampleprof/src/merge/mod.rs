//! Merges many profiles into one, in parallel and in bounded memory.
//!
//! Files are read in batches, and the files of a batch in parallel. The counts of a function are added in the order of
//! the inputs, on whatever thread. With checksums this order matters, because the first version of a function stays
//! (LLVM: `FunctionSamples::merge`). So the result does not depend on the number of threads.

mod batch;
mod encoded_functions;
mod input;
mod options;
mod outcome;
mod piece;
mod shard;
mod template;
mod template_cache;

use std::ops::ControlFlow;

use batch::Merger;
pub use options::{Content, MergeInput, MergeOptions};
pub use outcome::{ChecksumMismatch, InputError, MergeError, Merged};

/// Adds up `inputs`.
///
/// The result equals that of `llvm-profdata merge --sample` of LLVM 22. A profile with names and a profile with only
/// the hashes of names are merged function by function, under the name that is seen first. Inlined functions and call
/// targets stay apart.
///
/// `progress` is called after each batch with the number of inputs that are done, and may end the work.
///
/// # Errors
/// When an input cannot be read (with [`MergeOptions::keep_going`], when no input can be read), or when the inputs are
/// of different kinds.
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

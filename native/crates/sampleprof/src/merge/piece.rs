//! Data that passes from the files to the shards of the sum.

use std::ops::Range;

use super::options::MergeInput;
use crate::binary::{Part, Span};
use crate::{ContextId, FunctionSamples, NameId};

/// Number of shards that the sum is divided into, for threads to work on. This number decides about the order of
/// functions in the result, so it does not depend on the machine.
pub(super) const SHARDS: usize = 64;

/// Returns the number of the shard that a function belongs to.
pub(super) fn shard_of(guid: u64) -> usize {
    guid as usize % SHARDS
}

/// Data that the pieces of one input have in common.
pub(super) struct Source<'a> {
    pub(super) input: &'a MergeInput,
    pub(super) parts: Vec<Part<'a>>,
    /// Name tables of the file, with ids of the sum.
    pub(super) tables: Vec<Vec<NameId>>,
    /// For each shard, the counts of functions whose structure was known, and the indexes of names between these
    /// counts.
    pub(super) values: Vec<Vec<u32>>,
}

/// A function that is to be added to the sum, with ids and weight of the sum.
pub(super) enum Piece {
    /// A decoded function, and the key that tells its context from other contexts.
    Decoded(FunctionSamples, ContextId),
    /// The name of an encoded function, and its counts.
    Encoded(NameId, EncodedFunction),
}

/// The counts to add for an encoded function.
pub(super) enum EncodedFunction {
    /// All bytes of the function, which lie in this span.
    At(Span),
    /// A range of [`Source::values`], to be added to the template with this number, whose structure the function has.
    Like { template: usize, values: Range<usize> },
}

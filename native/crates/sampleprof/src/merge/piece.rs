//! What goes from the files into the parts of the sum.

use std::ops::Range;

use super::options::MergeInput;
use crate::binary::{Part, Span};
use crate::{ContextId, FunctionSamples, NameId};

/// Into how many parts the sum is divided, for threads to work on. It decides about the order of functions in the
/// result, so it does not depend on the machine.
pub(super) const SHARDS: usize = 64;

/// The shard of a function.
pub(super) fn shard_of(guid: u64) -> usize {
    guid as usize % SHARDS
}

/// What pieces of one input have in common.
pub(super) struct Source<'a> {
    pub(super) input: &'a MergeInput,
    pub(super) parts: Vec<Part<'a>>,
    /// Name tables of the file, with ids of the sum.
    pub(super) tables: Vec<Vec<NameId>>,
    /// By shard, counts of functions whose structure was known, and the indexes of names between them.
    pub(super) values: Vec<Vec<u32>>,
}

/// A function on its way into the sum, with ids and weight of the sum.
pub(super) enum Piece {
    /// The function, and what tells its context from others.
    Decoded(FunctionSamples, ContextId),
    /// Its name, and the rest.
    Encoded(NameId, EncodedFunction),
}

/// What is to be added of an encoded function.
pub(super) enum EncodedFunction {
    /// All that is there.
    At(Span),
    /// These of [`Source::values`], to the template of this number, whose structure it has.
    Like { template: usize, values: Range<usize> },
}

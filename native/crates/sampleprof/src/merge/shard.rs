use rustc_hash::FxHashMap;

use super::{ChecksumMismatch, MergeInput};
use crate::combine::{Checksums, merge_function};
use crate::{FunctionSamples, NameTable};

/// Into how many parts the sum is divided, for threads to work on. It is part of the order of functions in the
/// result, so it does not depend on the machine.
pub(super) const SHARDS: usize = 64;

/// The shard of a function.
pub(super) fn shard_of(guid: u64) -> usize {
    guid as usize % SHARDS
}

/// A part of the sum.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) functions: Vec<FunctionSamples>,
    /// Positions in `functions` by GUID, by which LLVM tells functions apart.
    positions: FxHashMap<u64, usize>,
    pub(super) mismatches: Vec<ChecksumMismatch>,
}

impl Shard {
    /// Adds functions of one input.
    pub(super) fn add(
        &mut self,
        input: &MergeInput,
        functions: Vec<FunctionSamples>,
        names: &NameTable,
        guids: &[u64],
    ) {
        for function in functions {
            let position = *self
                .positions
                .entry(guids[function.name.index()])
                .or_insert(self.functions.len());
            let Some(sum) = self.functions.get_mut(position) else {
                self.functions.push(function);
                continue;
            };
            let name = function.name;
            let count = merge_function(sum, function, names, Checksums::Match);
            if count > 0 {
                let function = names.get(name).to_string();
                self.mismatches.push(ChecksumMismatch {
                    input: input.name.clone(),
                    function,
                    count,
                });
            }
        }
    }
}

use rustc_hash::FxHashMap;

use super::input::{Piece, Source};
use super::outcome::{ChecksumMismatch, InputError};
use crate::binary::Decoder;
use crate::combine::{Checksums, merge_function};
use crate::{ContextId, FunctionSamples, NameId, NameTable};

/// How many mismatches a shard names. When many inputs are of another version, all their functions mismatch.
const MISMATCHES: usize = 16;

/// A part of the sum.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) functions: Vec<FunctionSamples>,
    /// Positions in `functions` by GUID, by which LLVM tells functions apart, and context.
    positions: FxHashMap<(u64, ContextId), usize>,
    /// The first few.
    pub(super) mismatches: Vec<ChecksumMismatch>,
    pub(super) mismatch_count: u64,
}

impl Shard {
    /// Adds functions of one input.
    pub(super) fn add(
        &mut self,
        source: &Source<'_>,
        pieces: Vec<Piece>,
        names: &NameTable,
        guids: &[u64],
    ) -> Result<(), InputError> {
        for piece in pieces {
            match piece {
                Piece::Decoded(function, context) => self.add_decoded(source, function, context, names, guids),
                Piece::Encoded { part, start } => self.add_encoded(source, part, start, names, guids)?,
            }
        }
        Ok(())
    }

    /// The sum of a function without callers, which is new if there was none.
    fn sum(&mut self, name: NameId, guids: &[u64]) -> &mut FunctionSamples {
        let position = *self
            .positions
            .entry((guids[name.index()], ContextId::BASE))
            .or_insert(self.functions.len());
        if position == self.functions.len() {
            self.functions.push(FunctionSamples::new(name));
        }
        &mut self.functions[position]
    }

    fn add_decoded(
        &mut self,
        source: &Source<'_>,
        function: FunctionSamples,
        context: ContextId,
        names: &NameTable,
        guids: &[u64],
    ) {
        let name = function.name;
        let key = (guids[name.index()], context);
        let Some(&position) = self.positions.get(&key) else {
            self.positions.insert(key, self.functions.len());
            self.functions.push(function);
            return;
        };
        let count = merge_function(&mut self.functions[position], function, names, Checksums::Match);
        self.mismatch_count += count;
        if count > 0 && self.mismatches.len() < MISMATCHES {
            let function = names.get(name).to_string();
            self.mismatches.push(ChecksumMismatch {
                input: source.input.name.clone(),
                function,
                count,
            });
        }
    }

    fn add_encoded(
        &mut self,
        source: &Source<'_>,
        part: usize,
        start: usize,
        names: &NameTable,
        guids: &[u64],
    ) -> Result<(), InputError> {
        let part = &source.parts[part];
        let decoder = Decoder {
            names,
            table: &source.tables[part.table],
            contexts: None,
            weight: source.input.weight,
        };
        let added = part.decode(|cursor| {
            cursor.seek(start);
            let (head, key) = decoder.head(cursor)?;
            decoder.add_function(cursor, head, self.sum(key.name, guids))
        });
        added.map_err(|error| error.in_file(&source.input.name).into())
    }
}

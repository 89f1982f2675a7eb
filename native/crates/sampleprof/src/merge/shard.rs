use std::mem;

use rustc_hash::FxHashMap;

use super::outcome::{ChecksumMismatch, InputError};
use super::piece::{EncodedFunction, Piece, Source};
use super::template::Template;
use super::template_cache::TemplateCache;
use crate::binary::{Decoder, Span};
use crate::combine::{Checksums, merge_function};
use crate::{ContextId, FunctionSamples, NameId, NameTable};

/// Largest number of mismatches that a shard describes. When many inputs are of another version, all their functions
/// mismatch.
const MAX_MISMATCHES: usize = 16;

/// A part of the sum.
#[derive(Default)]
pub(super) struct Shard {
    pub(super) functions: Vec<FunctionSamples>,
    /// Positions in `functions` by GUID and context. LLVM tells functions apart by GUID.
    positions: FxHashMap<(u64, ContextId), usize>,
    /// For each name, the structures that its functions had. Their counts are not yet in `functions`.
    versions: FxHashMap<NameId, TemplateCache>,
    /// New structures, which [`Self::take_templates`] adds to `versions`.
    new: Vec<(NameId, Template)>,
    /// Descriptions of the first few mismatches.
    pub(super) mismatches: Vec<ChecksumMismatch>,
    pub(super) mismatch_count: u64,
}

impl Shard {
    /// Adds functions of one input to this shard. `number` is the number of the shard.
    pub(super) fn add(
        &mut self,
        number: usize,
        source: &Source<'_>,
        pieces: Vec<Piece>,
        names: &NameTable,
        guids: &[u64],
    ) -> Result<(), InputError> {
        for piece in pieces {
            match piece {
                Piece::Decoded(function, context) => self.add_decoded(source, function, context, names, guids),
                Piece::Encoded(name, EncodedFunction::Like { template, values }) => {
                    if let Some(versions) = self.versions.get_mut(&name) {
                        let template = versions.note_match(template);
                        template.add(&source.values[number][values], source.input.weight);
                    }
                }
                Piece::Encoded(name, EncodedFunction::At(span)) => {
                    self.add_encoded(source, name, &span, names, guids)?;
                }
            }
        }
        Ok(())
    }

    /// Returns the structures that functions of this name had.
    pub(super) fn templates(&self, name: NameId) -> &[Template] {
        self.versions.get(&name).map_or(&[], TemplateCache::templates)
    }

    /// Adds the new structures to `versions`, so that files that are opened from now on are compared with them.
    pub(super) fn take_templates(&mut self, names: &NameTable, guids: &[u64]) {
        for (name, template) in mem::take(&mut self.new) {
            if let Some(old) = self.versions.entry(name).or_default().insert(template) {
                old.add_to(self.sum(name, guids), names);
            }
        }
    }

    /// Adds the counts of all templates to `functions`, and removes the templates.
    pub(super) fn add_templates(&mut self, names: &NameTable, guids: &[u64]) {
        for (name, versions) in mem::take(&mut self.versions) {
            for template in versions.into_templates() {
                template.add_to(self.sum(name, guids), names);
            }
        }
    }

    /// Returns the sum of a function without callers. Adds an empty sum if there was none.
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
        if count > 0 && self.mismatches.len() < MAX_MISMATCHES {
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
        name: NameId,
        span: &Span,
        names: &NameTable,
        guids: &[u64],
    ) -> Result<(), InputError> {
        let part = &source.parts[span.part];
        let decoder = Decoder {
            names,
            table: &source.tables[part.table],
            contexts: None,
            weight: source.input.weight,
        };
        let added = part.decode(|cursor| {
            cursor.seek(span.bytes.start);
            if self.versions.entry(name).or_default().note_miss()
                && let Some(template) = Template::read(&mut cursor.clone(), decoder.table)?
            {
                self.new.push((name, template));
            }
            let (head, key) = decoder.head(cursor)?;
            decoder.add_function(cursor, head, self.sum(key.name, guids))
        });
        added.map_err(|error| error.in_file(&source.input.name).into())
    }
}

//! The functions of a binary profile, compared with those of the files before.

use std::mem;

use super::piece::{EncodedFunction, SHARDS, shard_of};
use super::shard::Shard;
use crate::NameId;
use crate::binary::{Cursor, EncodedProfile, Part, Span, skim_function};
use crate::read::Located;

/// Id that stands for a name which is not in the sum.
const NOT_IN_SUM: NameId = NameId(u32::MAX);

/// Usual distance in bytes from one count or name to the next. Most distances are at least this long.
const USUAL_DISTANCE: usize = 3;

/// The functions of a binary profile. Adding them to the sum in encoded form takes half the time of decoding them
/// first.
pub(super) struct EncodedFunctions<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// The name tables of the file.
    pub(super) tables: Vec<Vec<NameId>>,
    pub(super) spans: Vec<Span>,
    /// True if `spans` was made by reading all functions. False if the file states the spans.
    spans_were_read: bool,
    /// For each entry of `tables`, the id of the name in the sum, or [`NOT_IN_SUM`].
    in_sum: Vec<Vec<NameId>>,
    /// For each shard, the positions in `spans` of functions whose name is in the sum, and the id of that name.
    named: Vec<Vec<(usize, NameId)>>,
    /// For each shard, the functions of `named` whose structure is known.
    found: Vec<Matches>,
}

/// The functions of a file whose structure a shard knows.
#[derive(Default)]
pub(super) struct Matches {
    functions: Vec<EncodedFunction>,
    values: Vec<u32>,
}

impl<'a> EncodedFunctions<'a> {
    /// Makes a list of the functions of `profile`. `known` has the ids of its names in the sum, and `guids` the GUIDs
    /// of the sum's names.
    pub(super) fn new(profile: EncodedProfile<'a>, known: &[Option<NameId>], guids: &[u64]) -> Result<Self, Located> {
        let stated = profile.stated_spans();
        let id = |name: &NameId| known[name.index()].unwrap_or(NOT_IN_SUM);
        let mut encoded = Self {
            in_sum: profile
                .tables
                .iter()
                .map(|table| table.iter().map(id).collect())
                .collect(),
            parts: profile.functions,
            tables: profile.tables,
            spans_were_read: false,
            spans: stated.unwrap_or_default(),
            named: Vec::new(),
            found: Vec::new(),
        };
        let unnamed = encoded.divide_among_shards(known, guids);
        if !encoded.covers_parts()
            || !unnamed
                .iter()
                .all(|&index| encoded.holds_one_function(&encoded.spans[index]))
        {
            encoded.read()?;
            encoded.divide_among_shards(known, guids);
        }
        Ok(encoded)
    }

    /// Reads over all functions to find their spans.
    fn read(&mut self) -> Result<(), Located> {
        self.spans.clear();
        self.spans_were_read = true;
        for (number, part) in self.parts.iter().enumerate() {
            let table = self.tables.get(part.table).map_or(&[][..], Vec::as_slice);
            part.decode(|cursor| {
                while !cursor.is_at_end() {
                    let start = cursor.position();
                    let index = skim_function(cursor, table.len(), &mut |_, _| ())?;
                    self.spans.push(Span {
                        part: number,
                        bytes: start..cursor.position(),
                        name: table[index],
                    });
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Returns true if the spans cover the parts of the file without a gap.
    fn covers_parts(&self) -> bool {
        let bytes: usize = self.parts.iter().map(|part| part.content.len()).sum();
        self.spans.iter().map(|span| span.bytes.len()).sum::<usize>() == bytes
    }

    /// Divides the spans among the shards. Returns the positions of functions whose names are not in the sum.
    fn divide_among_shards(&mut self, known: &[Option<NameId>], guids: &[u64]) -> Vec<usize> {
        let mut unnamed = Vec::new();
        let usual = 2 * self.spans.len() / SHARDS;
        self.named = (0..SHARDS).map(|_| Vec::with_capacity(usual)).collect();
        for (index, span) in self.spans.iter().enumerate() {
            match known[span.name.index()] {
                Some(name) => self.named[shard_of(guids[name.index()])].push((index, name)),
                None => unnamed.push(index),
            }
        }
        unnamed
    }

    /// Returns true if `span` holds exactly one function, which can be decoded and has the name of the span.
    fn holds_one_function(&self, span: &Span) -> bool {
        let part = &self.parts[span.part];
        let table = &self.tables[part.table];
        let mut cursor = Cursor::new(&part.content);
        cursor.seek(span.bytes.start);
        let index = skim_function(&mut cursor, table.len(), &mut |_, _| ());
        index.is_ok_and(|index| table[index] == span.name) && cursor.position() == span.bytes.end
    }

    /// Compares functions with the structures that a shard knows. Returns `None` if a function is not where the file
    /// states it.
    pub(super) fn find(&self, number: usize, shard: &Shard) -> Option<Matches> {
        let named = &self.named[number];
        let bytes: usize = named.iter().map(|&(index, _)| self.spans[index].bytes.len()).sum();
        let mut found = Matches {
            functions: Vec::with_capacity(named.len()),
            values: Vec::with_capacity(bytes / USUAL_DISTANCE),
        };
        for &(index, name) in named {
            let span = &self.spans[index];
            let part = &self.parts[span.part];
            let first = found.values.len();
            let bytes = &part.content[span.bytes.start..];
            let mut templates = shard.templates(name).iter();
            let template = templates.position(|template| {
                template.matches(bytes, &self.in_sum[part.table], &mut found.values) == Some(span.bytes.len())
            });
            let function = match template {
                Some(template) => EncodedFunction::Like {
                    template,
                    values: first..found.values.len(),
                },
                None if self.spans_were_read || self.holds_one_function(span) => EncodedFunction::At(span.clone()),
                None => return None,
            };
            found.functions.push(function);
        }
        Some(found)
    }

    /// Takes over the results of all shards, in the order of the shards.
    pub(super) fn take(&mut self, found: Vec<Option<Matches>>) -> Result<(), Located> {
        match found.into_iter().collect() {
            Some(found) => self.found = found,
            // Either the file states false spans, or its functions are damaged. Only reading the functions can tell.
            None => self.read()?,
        }
        Ok(())
    }

    /// Returns the counts to add for each function, with the name that the function has in the file, and the numbers
    /// for each shard.
    pub(super) fn functions(&mut self) -> (Vec<(NameId, EncodedFunction)>, Vec<Vec<u32>>) {
        let whole = |span: Span| (span.name, EncodedFunction::At(span));
        let mut functions: Vec<_> = mem::take(&mut self.spans).into_iter().map(whole).collect();
        let mut values = vec![Vec::new(); SHARDS];
        let found = mem::take(&mut self.found);
        for ((found, named), values) in found.into_iter().zip(&self.named).zip(&mut values) {
            for (function, &(index, _)) in found.functions.into_iter().zip(named) {
                functions[index].1 = function;
            }
            *values = found.values;
        }
        (functions, values)
    }
}

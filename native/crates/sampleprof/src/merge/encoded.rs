//! The functions of a binary profile, compared with those of the files before it.

use std::mem;

use super::piece::{EncodedFunction, SHARDS, shard_of};
use super::shard::Shard;
use crate::NameId;
use crate::binary::{Cursor, EncodedProfile, Part, Span, skim_function};
use crate::read::Located;

/// Stands for the id of a name that is not in the sum.
const NOT_IN_SUM: NameId = NameId(u32::MAX);

/// How many bytes there mostly are from one count or name to the next, at least.
const USUAL_DISTANCE: usize = 3;

/// The functions of a binary profile. Adding them to the sum without decoding them first takes half the time.
pub(super) struct Encoded<'a> {
    pub(super) parts: Vec<Part<'a>>,
    /// The name tables of the file.
    pub(super) tables: Vec<Vec<NameId>>,
    pub(super) spans: Vec<Span>,
    /// Whether these spans come from reading all functions, and not from what the file says about itself.
    are_read: bool,
    /// The ids in the sum that indexes into `tables` stand for, or [`NOT_IN_SUM`].
    in_sum: Vec<Vec<NameId>>,
    /// By shard, positions in `spans` of functions with a name that is in the sum, and its id there.
    named: Vec<Vec<(usize, NameId)>>,
    /// Of those functions, by shard, which have a known structure.
    found: Vec<Found>,
}

/// What a shard knows of functions of a file.
#[derive(Default)]
pub(super) struct Found {
    functions: Vec<EncodedFunction>,
    values: Vec<u32>,
}

impl<'a> Encoded<'a> {
    /// The functions of `profile`. Its names have the ids `known` in the sum, whose names have these GUIDs.
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
            are_read: false,
            spans: stated.unwrap_or_default(),
            named: Vec::new(),
            found: Vec::new(),
        };
        let unnamed = encoded.divide(known, guids);
        if !encoded.covers_parts() || !unnamed.iter().all(|&index| encoded.is_at(&encoded.spans[index])) {
            encoded.read()?;
            encoded.divide(known, guids);
        }
        Ok(encoded)
    }

    /// Reads over all functions to find where they are.
    fn read(&mut self) -> Result<(), Located> {
        self.spans.clear();
        self.are_read = true;
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

    /// Whether the spans leave nothing out.
    fn covers_parts(&self) -> bool {
        let bytes: usize = self.parts.iter().map(|part| part.content.len()).sum();
        self.spans.iter().map(|span| span.bytes.len()).sum::<usize>() == bytes
    }

    /// Divides the spans among the shards; returns those of functions whose names are not in the sum.
    fn divide(&mut self, known: &[Option<NameId>], guids: &[u64]) -> Vec<usize> {
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

    /// Whether a function that can be decoded is there and nowhere else.
    fn is_at(&self, span: &Span) -> bool {
        let part = &self.parts[span.part];
        let table = &self.tables[part.table];
        let mut cursor = Cursor::new(&part.content);
        cursor.seek(span.bytes.start);
        let index = skim_function(&mut cursor, table.len(), &mut |_, _| ());
        index.is_ok_and(|index| table[index] == span.name) && cursor.position() == span.bytes.end
    }

    /// Compares functions with those that a shard knows. Nothing, if a function is not where the file says.
    pub(super) fn find(&self, number: usize, shard: &Shard) -> Option<Found> {
        let named = &self.named[number];
        let bytes: usize = named.iter().map(|&(index, _)| self.spans[index].bytes.len()).sum();
        let mut found = Found {
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
                None if self.are_read || self.is_at(span) => EncodedFunction::At(span.clone()),
                None => return None,
            };
            found.functions.push(function);
        }
        Some(found)
    }

    /// Takes what the shards have found, in their order.
    pub(super) fn take(&mut self, found: Vec<Option<Found>>) -> Result<(), Located> {
        match found.into_iter().collect() {
            Some(found) => self.found = found,
            // What the file says about itself is wrong or its functions are damaged: only reading it tells.
            None => self.read()?,
        }
        Ok(())
    }

    /// What is to be added of each function, with the name that it has in the file, and the numbers for each shard.
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

use std::fs;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::input::{ContextIds, OpenedInput, PreparedInput};
use super::options::{Content, MergeInput, MergeOptions};
use super::outcome::{InputError, MergeError, Merged};
use super::piece::SHARDS;
use super::shard::Shard;
use crate::{ContextTable, Frame, NameId, Profile, ProfileFlags};

/// Largest number of bytes of files that are worked on at once.
const BATCH_BYTES: u64 = 8 << 20;

/// Largest number of files that are worked on at once.
const BATCH_FILES: usize = 256;

/// The sum of the inputs that were added so far.
pub(super) struct Merger {
    options: MergeOptions,
    merged: Merged,
    shards: Vec<Shard>,
    /// GUIDs of the names of `merged.profile`. LLVM tells functions apart by GUID.
    guids: Vec<u64>,
    /// For each name of `merged.profile`, true if a profile symbol list has it. `None` if no input has such a list.
    symbols: Option<Vec<bool>>,
    /// For each GUID of a context-sensitive profile, the first name that has it.
    canonical: FxHashMap<u64, NameId>,
    /// Contexts in which every name is the `canonical` one. Functions are told apart by these contexts.
    canonical_contexts: ContextTable,
    /// Name and flags of an input that was added. The other inputs must be of the same kind.
    kind: Option<(String, ProfileFlags)>,
}

impl Merger {
    pub(super) fn new(options: MergeOptions) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self {
            options,
            merged: Merged::default(),
            shards,
            guids: Vec::new(),
            symbols: None,
            canonical: FxHashMap::default(),
            canonical_contexts: ContextTable::default(),
            kind: None,
        }
    }

    /// Adds the next batch of inputs and returns the inputs that are left.
    pub(super) fn add_batch<'a>(&mut self, inputs: &'a [MergeInput]) -> Result<&'a [MergeInput], MergeError> {
        let done = self.merged.inputs + self.merged.skipped.len();
        let (batch, rest) = inputs.split_at(batch_len(inputs, done));
        let mut buffers = vec![Vec::new(); batch.len()];
        let (names, guids) = (&self.merged.profile.names, &self.guids);
        let opened: Vec<_> = buffers
            .par_iter_mut()
            .zip(batch)
            .map(|(buffer, input)| OpenedInput::open(input, buffer, names, guids))
            .collect();
        let opened = self.find_known(batch, opened);

        let mut accepted = Vec::with_capacity(batch.len());
        for (input, opened) in batch.iter().zip(opened) {
            match opened {
                Ok(opened) => {
                    self.check_kind(input, &opened)?;
                    let ids = self.take_names(&opened);
                    let contexts = self.take_contexts(&opened, &ids);
                    self.take_properties(&opened, &ids);
                    accepted.push((input, opened, ids, contexts));
                }
                Err(error) if self.options.keep_going => self.merged.skipped.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        self.merged.inputs += accepted.len();
        let guids = &self.guids;
        let prepared: Vec<_> = accepted
            .into_par_iter()
            .map(|(input, opened, ids, contexts)| opened.prepare(input, &ids, &contexts, guids))
            .collect();
        self.add_functions(prepared)?;
        Ok(rest)
    }

    /// Compares the functions of inputs with those of the sum. Works on one shard at a time, so that the data of a
    /// shard stays in the caches.
    fn find_known<'a>(
        &self,
        inputs: &[MergeInput],
        opened: Vec<Result<OpenedInput<'a>, InputError>>,
    ) -> Vec<Result<OpenedInput<'a>, InputError>> {
        let by_shard = self.shards.par_iter().enumerate().map(|(number, shard)| {
            let found = opened.iter().map(|opened| opened.as_ref().ok()?.find(number, shard));
            found.collect::<Vec<_>>().into_iter()
        });
        let mut by_shard: Vec<_> = by_shard.collect();
        let inputs = opened.into_iter().zip(inputs).map(|(opened, input)| {
            let found = by_shard.iter_mut().map(|found| found.next().flatten()).collect();
            opened.and_then(|opened| opened.take(input, found))
        });
        inputs.collect()
    }

    /// Returns the sum of all inputs that were added. `count` is the number of inputs, including those that were
    /// skipped.
    pub(super) fn finish(mut self, count: usize) -> Result<Merged, MergeError> {
        if self.merged.inputs == 0 && !self.merged.skipped.is_empty() {
            return Err(MergeError::NothingUsable {
                count,
                first: self.merged.skipped.swap_remove(0),
            });
        }
        let profile: &mut Profile = &mut self.merged.profile;
        let (names, guids) = (&profile.names, &self.guids);
        self.shards
            .par_iter_mut()
            .for_each(|shard| shard.add_templates(names, guids));
        for shard in self.shards {
            profile.functions.extend(shard.functions);
            self.merged.mismatches.extend(shard.mismatches);
            self.merged.mismatch_count += shard.mismatch_count;
        }
        profile.symbols = self.symbols.map(|listed| {
            let ids = profile.names.iter().map(|(id, _)| id);
            ids.zip(listed)
                .filter(|&(_, listed)| listed)
                .map(|(id, _)| id)
                .collect()
        });
        profile.flags.partial = self.options.partial;
        Ok(self.merged)
    }

    fn check_kind(&mut self, input: &MergeInput, opened: &OpenedInput<'_>) -> Result<(), MergeError> {
        let flags = opened.flags;
        let (first, first_flags) = self.kind.get_or_insert_with(|| (input.name.clone(), flags));
        let of_that_kind = |this_is: bool| {
            let (first, this) = (first.clone(), input.name.clone());
            if this_is { (this, first) } else { (first, this) }
        };
        if first_flags.probe_based != flags.probe_based {
            let (probe_based, other) = of_that_kind(flags.probe_based);
            return Err(MergeError::MixedLocations { probe_based, other });
        }
        if first_flags.context_sensitive != flags.context_sensitive {
            let (context_sensitive, other) = of_that_kind(flags.context_sensitive);
            return Err(MergeError::MixedContexts {
                context_sensitive,
                other,
            });
        }
        Ok(())
    }

    /// Adds the names of an input to the sum, and returns their ids in the sum.
    fn take_names(&mut self, opened: &OpenedInput<'_>) -> Vec<NameId> {
        let names = &mut self.merged.profile.names;
        let guids = &mut self.guids;
        let ids = opened.names.iter().zip(&opened.known).map(|((_, name), known)| {
            known.unwrap_or_else(|| {
                let id = names.intern_name(name);
                if id.index() == guids.len() {
                    guids.push(name.guid());
                }
                id
            })
        });
        ids.collect()
    }

    /// Adds the contexts of an input to the sum, and returns their ids in the sum.
    fn take_contexts(&mut self, opened: &OpenedInput<'_>, ids: &[NameId]) -> Vec<ContextIds> {
        if !opened.flags.context_sensitive {
            return vec![ContextIds::default()];
        }
        let canonical: Vec<NameId> = ids
            .iter()
            .map(|&id| *self.canonical.entry(self.guids[id.index()]).or_insert(id))
            .collect();
        let mut callers = Vec::new();
        let mut intern = |table: &mut ContextTable, frames: &[Frame], ids: &[NameId]| {
            callers.clear();
            callers.extend(frames.iter().map(|frame| Frame {
                function: ids[frame.function.index()],
                ..*frame
            }));
            table.intern(&callers)
        };
        let contexts = opened.contexts.iter().map(|frames| ContextIds {
            context: intern(&mut self.merged.profile.contexts, frames, ids),
            key: intern(&mut self.canonical_contexts, frames, &canonical),
        });
        contexts.collect()
    }

    fn take_properties(&mut self, opened: &OpenedInput<'_>, ids: &[NameId]) {
        let flags = &mut self.merged.profile.flags;
        flags.fs_discriminators |= opened.flags.fs_discriminators;
        flags.probe_based |= opened.flags.probe_based;
        flags.pre_inlined |= opened.flags.pre_inlined;
        flags.context_sensitive |= opened.flags.context_sensitive;
        self.merged.partial_input |= opened.flags.partial;
        if let Some(symbols) = &opened.symbols
            && !self.options.drop_symbols
        {
            let listed = self.symbols.get_or_insert_default();
            listed.resize(self.guids.len(), false);
            for symbol in symbols {
                listed[ids[symbol.index()].index()] = true;
            }
        }
    }

    fn add_functions(&mut self, inputs: Vec<PreparedInput<'_>>) -> Result<(), MergeError> {
        let names = &self.merged.profile.names;
        let guids = &self.guids;
        let mut by_shard: Vec<_> = (0..SHARDS).map(|_| Vec::with_capacity(inputs.len())).collect();
        let mut sources = Vec::with_capacity(inputs.len());
        for input in inputs {
            for (shard, pieces) in by_shard.iter_mut().zip(input.pieces) {
                shard.push(pieces);
            }
            sources.push(input.source);
        }
        self.shards
            .par_iter_mut()
            .zip(by_shard)
            .enumerate()
            .try_for_each(|(number, (shard, pieces))| {
                let mut added = sources.iter().zip(pieces);
                added.try_for_each(|(source, pieces)| shard.add(number, source, pieces, names, guids))?;
                shard.take_templates(names, guids);
                Ok(())
            })
    }
}

/// Returns the number of inputs in the next batch, at least one. Functions are compared with those of the `done` files
/// before the batch, so the first batches are small.
fn batch_len(inputs: &[MergeInput], done: usize) -> usize {
    let mut bytes = 0u64;
    let fits = inputs.iter().take(BATCH_FILES.min(done)).take_while(|input| {
        bytes = bytes.saturating_add(match &input.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            // A missing file is reported when it is read.
            Content::File(path) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
        });
        bytes <= BATCH_BYTES
    });
    fits.count().max(1).min(inputs.len())
}

use std::borrow::Cow;
use std::fs;

use rayon::prelude::*;

use super::shard::{SHARDS, Shard, shard_of};
use super::{Content, InputError, MergeError, MergeInput, MergeOptions, Merged};
use crate::combine::scale;
use crate::{FunctionSamples, NameId, NameTable, Profile, read};

/// How many encoded bytes are in work at once. Decoded, they take about ten times as much.
const BATCH_BYTES: u64 = 6 << 20;

/// How many files are in work at once, however small.
const BATCH_FILES: usize = 256;

/// The sum so far.
pub(super) struct Merger {
    options: MergeOptions,
    merged: Merged,
    shards: Vec<Shard>,
    /// The GUIDs of the names of `merged.profile`, which tell functions apart.
    guids: Vec<u64>,
    symbols: Option<Vec<bool>>,
    /// A profile of the kind that the others must be of: its name, and whether it is based on probes.
    kind: Option<(String, bool)>,
}

/// One input, read, with names looked up in the table of the sum as far as they are in it.
struct ReadInput {
    profile: Profile,
    known: Vec<Option<NameId>>,
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
            kind: None,
        }
    }

    /// Adds the first few inputs and returns the others.
    pub(super) fn add_batch<'a>(&mut self, inputs: &'a [MergeInput]) -> Result<&'a [MergeInput], MergeError> {
        let (batch, rest) = inputs.split_at(batch_len(inputs));
        let names = &self.merged.profile.names;
        let read: Vec<_> = batch.par_iter().map(|input| read_input(input, names)).collect();

        let mut accepted = Vec::with_capacity(read.len());
        for (input, result) in batch.iter().zip(read) {
            match result {
                Ok(read) => {
                    self.check_kind(input, &read.profile)?;
                    let ids = self.take_names(&read);
                    self.take_properties(&read.profile, &ids);
                    accepted.push((input, read.profile.functions, ids));
                }
                Err(error) if self.options.keep_going => self.merged.skipped.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        self.merged.inputs += accepted.len();
        self.add_functions(accepted);
        Ok(rest)
    }

    pub(super) fn finish(mut self, count: usize) -> Result<Merged, MergeError> {
        if self.merged.inputs == 0 && !self.merged.skipped.is_empty() {
            return Err(MergeError::NothingUsable {
                count,
                first: self.merged.skipped.swap_remove(0),
            });
        }
        let profile = &mut self.merged.profile;
        for shard in self.shards {
            profile.functions.extend(shard.functions);
            self.merged.mismatches.extend(shard.mismatches);
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

    fn check_kind(&mut self, input: &MergeInput, profile: &Profile) -> Result<(), MergeError> {
        let probe_based = profile.flags.probe_based;
        let (first, first_probe_based) = self.kind.get_or_insert_with(|| (input.name.clone(), probe_based));
        if *first_probe_based == probe_based {
            return Ok(());
        }
        let (one, other) = (first.clone(), input.name.clone());
        let (probe_based, other) = if probe_based { (other, one) } else { (one, other) };
        Err(MergeError::MixedLocations { probe_based, other })
    }

    /// The ids that the names of an input have in the sum.
    fn take_names(&mut self, input: &ReadInput) -> Vec<NameId> {
        let names = &mut self.merged.profile.names;
        let guids = &mut self.guids;
        let ids = input.profile.names.iter().zip(&input.known).map(|((_, name), known)| {
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

    fn take_properties(&mut self, profile: &Profile, ids: &[NameId]) {
        let flags = &mut self.merged.profile.flags;
        flags.fs_discriminators |= profile.flags.fs_discriminators;
        flags.probe_based |= profile.flags.probe_based;
        flags.pre_inlined |= profile.flags.pre_inlined;
        self.merged.partial_input |= profile.flags.partial;
        if let Some(symbols) = &profile.symbols
            && !self.options.drop_symbols
        {
            let listed = self.symbols.get_or_insert_default();
            listed.resize(self.guids.len(), false);
            for symbol in symbols {
                listed[ids[symbol.index()].index()] = true;
            }
        }
    }

    fn add_functions(&mut self, inputs: Vec<(&MergeInput, Vec<FunctionSamples>, Vec<NameId>)>) {
        let names = &self.merged.profile.names;
        let guids = &self.guids;
        let mut by_shard: Vec<Vec<(&MergeInput, Vec<FunctionSamples>)>> = (0..SHARDS).map(|_| Vec::new()).collect();
        let split: Vec<_> = inputs
            .into_par_iter()
            .map(|(input, functions, ids)| (input, split_functions(functions, &ids, guids, input.weight)))
            .collect();
        for (input, parts) in split {
            for (shard, part) in by_shard.iter_mut().zip(parts) {
                shard.push((input, part));
            }
        }
        self.shards.par_iter_mut().zip(by_shard).for_each(|(shard, parts)| {
            for (input, functions) in parts {
                shard.add(input, functions, names, guids);
            }
        });
    }
}

/// How many of `inputs` make up a batch: at least one.
fn batch_len(inputs: &[MergeInput]) -> usize {
    let mut bytes = 0u64;
    let fits = inputs.iter().take(BATCH_FILES).take_while(|input| {
        bytes = bytes.saturating_add(match &input.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            // A file that is not there is noticed when it is read.
            Content::File(path) => fs::metadata(path).map_or(0, |metadata| metadata.len()),
        });
        bytes <= BATCH_BYTES
    });
    fits.count().max(1).min(inputs.len())
}

fn read_input(input: &MergeInput, names: &NameTable) -> Result<ReadInput, InputError> {
    let bytes = match &input.content {
        Content::Bytes(bytes) => Cow::Borrowed(&bytes[..]),
        Content::File(path) => Cow::Owned(fs::read(path).map_err(|source| InputError::Io {
            file: input.name.clone(),
            source,
        })?),
    };
    let profile = read(&bytes, &input.name)?;
    let known = profile.names.iter().map(|(_, name)| names.find(name)).collect();
    Ok(ReadInput { profile, known })
}

/// Gives functions the ids and the weight they have in the sum, and puts each with its shard.
fn split_functions(
    functions: Vec<FunctionSamples>,
    ids: &[NameId],
    guids: &[u64],
    weight: u64,
) -> Vec<Vec<FunctionSamples>> {
    let mut parts: Vec<_> = (0..SHARDS).map(|_| Vec::new()).collect();
    for mut function in functions {
        rename(&mut function, ids);
        if weight != 1 {
            scale(&mut function, weight);
        }
        parts[shard_of(guids[function.name.index()])].push(function);
    }
    parts
}

fn rename(function: &mut FunctionSamples, ids: &[NameId]) {
    function.name = ids[function.name.index()];
    for target in function.body.iter_mut().flat_map(|record| &mut record.targets) {
        target.name = ids[target.name.index()];
    }
    for (_, inlinee) in &mut function.inlinees {
        rename(inlinee, ids);
    }
}

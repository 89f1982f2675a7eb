use std::{fs, mem};

use super::encoded_functions::{EncodedFunctions, Matches};
use super::options::{Content, MergeInput};
use super::outcome::InputError;
use super::piece::{Piece, SHARDS, Source, shard_of};
use super::shard::Shard;
use crate::binary::EncodedProfile;
use crate::combine::scale;
use crate::join::rename;
use crate::read::{Located, open_binary};
use crate::{ContextId, ContextTable, FunctionSamples, NameId, NameTable, ProfileFlags, read};

/// An input that was opened and checked, but not added to the sum.
pub(super) struct OpenedInput<'a> {
    pub(super) names: NameTable,
    pub(super) contexts: ContextTable,
    /// For each name of the input, its id in the sum, or `None` if the sum does not have the name.
    pub(super) known: Vec<Option<NameId>>,
    pub(super) flags: ProfileFlags,
    pub(super) symbols: Option<Vec<NameId>>,
    functions: Functions<'a>,
}

enum Functions<'a> {
    /// Decoded functions: of a text, of a profile with contexts, or of a file that stores metadata in a section of its
    /// own.
    Decoded(Vec<FunctionSamples>),
    Encoded(EncodedFunctions<'a>),
}

/// Ids that a context of an input has in the sum.
#[derive(Clone, Copy, Default)]
pub(super) struct ContextIds {
    pub(super) context: ContextId,
    /// Id of the context with canonical names. Contexts that differ only in whether they have the text or the hash of
    /// a name have the same key.
    pub(super) key: ContextId,
}

/// An input whose functions are divided among the shards.
pub(super) struct PreparedInput<'a> {
    pub(super) source: Source<'a>,
    pub(super) pieces: Vec<Vec<Piece>>,
}

impl<'a> OpenedInput<'a> {
    /// Reads an input and looks up its names in `names`, the names of the sum, whose GUIDs are `guids`. A file is read
    /// into `buffer`.
    pub(super) fn open(
        input: &'a MergeInput,
        buffer: &'a mut Vec<u8>,
        names: &NameTable,
        guids: &[u64],
    ) -> Result<Self, InputError> {
        let bytes = match &input.content {
            Content::Bytes(bytes) => bytes,
            Content::File(path) => {
                *buffer = fs::read(path).map_err(|source| InputError::Io {
                    file: input.name.clone(),
                    source,
                })?;
                buffer
            }
        };
        match Self::open_encoded(bytes, names, guids) {
            Ok(Some(opened)) => Ok(opened),
            Ok(None) => Self::open_decoded(bytes, input, names),
            Err(error) => Err(error.in_file(&input.name).into()),
        }
    }

    /// Opens a profile whose functions can be added in encoded form. Returns `None` if the functions have to be
    /// decoded.
    fn open_encoded(bytes: &'a [u8], names: &NameTable, guids: &[u64]) -> Result<Option<Self>, Located> {
        let whole = |profile: &EncodedProfile<'_>| profile.metadata.is_empty() && !profile.flags.context_sensitive;
        let Some(mut profile) = open_binary(bytes)?.filter(whole) else {
            return Ok(None);
        };
        let known = names.find_all(&profile.names);
        Ok(Some(Self {
            names: mem::take(&mut profile.names),
            contexts: mem::take(&mut profile.contexts),
            flags: profile.flags,
            symbols: profile.symbols.take(),
            functions: Functions::Encoded(EncodedFunctions::new(profile, &known, guids)?),
            known,
        }))
    }

    /// Returns the functions whose structure `shard` knows. Returns `None` if a function is not where the file states
    /// it.
    pub(super) fn find(&self, number: usize, shard: &Shard) -> Option<Matches> {
        match &self.functions {
            Functions::Decoded(_) => Some(Matches::default()),
            Functions::Encoded(encoded) => encoded.find(number, shard),
        }
    }

    /// Takes over the results of all shards.
    pub(super) fn take(mut self, input: &MergeInput, found: Vec<Option<Matches>>) -> Result<Self, InputError> {
        if let Functions::Encoded(encoded) = &mut self.functions {
            encoded.take(found).map_err(|error| error.in_file(&input.name))?;
        }
        Ok(self)
    }

    fn open_decoded(bytes: &[u8], input: &MergeInput, names: &NameTable) -> Result<Self, InputError> {
        let profile = read(bytes, &input.name)?;
        Ok(Self {
            known: names.find_all(&profile.names),
            names: profile.names,
            contexts: profile.contexts,
            flags: profile.flags,
            symbols: profile.symbols,
            functions: Functions::Decoded(profile.functions),
        })
    }

    /// Divides the functions among the shards. `ids` and `contexts` are the ids of the input's names and contexts in
    /// the sum. `guids` are the GUIDs of the sum's names.
    pub(super) fn prepare(
        self,
        input: &'a MergeInput,
        ids: &[NameId],
        contexts: &[ContextIds],
        guids: &[u64],
    ) -> PreparedInput<'a> {
        let mut pieces: Vec<_> = (0..SHARDS).map(|_| Vec::new()).collect();
        let shard = |name: NameId| shard_of(guids[name.index()]);
        let mut source = Source {
            input,
            parts: Vec::new(),
            tables: Vec::new(),
            values: Vec::new(),
        };
        match self.functions {
            Functions::Decoded(functions) => {
                for mut function in functions {
                    rename(&mut function, ids);
                    let ContextIds { context, key } = contexts[function.context.index()];
                    function.context = context;
                    if input.weight != 1 {
                        scale(&mut function, input.weight);
                    }
                    pieces[shard(function.name)].push(Piece::Decoded(function, key));
                }
            }
            Functions::Encoded(mut encoded) => {
                let (functions, values) = encoded.functions();
                let usual = 2 * functions.len() / SHARDS;
                pieces.iter_mut().for_each(|pieces| pieces.reserve(usual));
                for (name, function) in functions {
                    let name = ids[name.index()];
                    pieces[shard(name)].push(Piece::Encoded(name, function));
                }
                for name in encoded.tables.iter_mut().flatten() {
                    *name = ids[name.index()];
                }
                source.parts = encoded.parts;
                source.tables = encoded.tables;
                source.values = values;
            }
        }
        PreparedInput { source, pieces }
    }
}

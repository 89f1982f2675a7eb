use std::fs;

use super::options::{Content, MergeInput};
use super::outcome::InputError;
use crate::binary::{EncodedProfile, Part, skim_function};
use crate::combine::scale;
use crate::read::{Located, open_binary};
use crate::{ContextId, ContextTable, FunctionSamples, NameId, NameTable, ProfileFlags, read};

/// Into how many parts the sum is divided, for threads to work on. It decides about the order of functions in the
/// result, so it does not depend on the machine.
pub(super) const SHARDS: usize = 64;

/// The shard of a function.
fn shard_of(guid: u64) -> usize {
    guid as usize % SHARDS
}

/// An input, checked, before the sum is involved.
pub(super) struct Opened<'a> {
    pub(super) names: NameTable,
    pub(super) contexts: ContextTable,
    /// The ids that its names already have in the sum.
    pub(super) known: Vec<Option<NameId>>,
    pub(super) flags: ProfileFlags,
    pub(super) symbols: Option<Vec<NameId>>,
    functions: Functions<'a>,
}

enum Functions<'a> {
    /// Of a text, with contexts, or with metadata that the file has in another place.
    Decoded(Vec<FunctionSamples>),
    /// Of a binary profile. Adding them to the sum without decoding them first takes half the time.
    Encoded {
        parts: Vec<Part<'a>>,
        tables: Vec<Vec<NameId>>,
        extents: Vec<Extent>,
    },
}

/// Where an encoded function starts.
struct Extent {
    part: usize,
    start: usize,
    name: NameId,
}

/// What pieces of one input have in common.
pub(super) struct Source<'a> {
    pub(super) input: &'a MergeInput,
    pub(super) parts: Vec<Part<'a>>,
    /// Name tables of the file, with ids of the sum.
    pub(super) tables: Vec<Vec<NameId>>,
}

/// The ids that a context of an input has in the sum.
#[derive(Clone, Copy, Default)]
pub(super) struct TakenContext {
    pub(super) context: ContextId,
    /// The same for contexts that differ only in what they know names by: the text or its hash.
    pub(super) key: ContextId,
}

/// A function on its way into the sum, with ids and weight of the sum.
pub(super) enum Piece {
    /// The function and [`TakenContext::key`].
    Decoded(FunctionSamples, ContextId),
    Encoded {
        part: usize,
        start: usize,
    },
}

/// An input, divided among the shards.
pub(super) struct Prepared<'a> {
    pub(super) source: Source<'a>,
    pub(super) pieces: Vec<Vec<Piece>>,
}

impl<'a> Opened<'a> {
    /// Reads an input, a file into `buffer`, and looks up its names in those of the sum.
    pub(super) fn open(input: &'a MergeInput, buffer: &'a mut Vec<u8>, names: &NameTable) -> Result<Self, InputError> {
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
        let mut opened = match Self::open_encoded(bytes) {
            Ok(Some(opened)) => opened,
            Ok(None) => Self::decoded(bytes, input)?,
            Err(error) => return Err(error.in_file(&input.name).into()),
        };
        opened.known = names.find_all(&opened.names);
        Ok(opened)
    }

    /// Nothing, if the functions have to be decoded.
    fn open_encoded(bytes: &'a [u8]) -> Result<Option<Self>, Located> {
        let whole = |profile: &EncodedProfile<'_>| profile.metadata.is_empty() && !profile.flags.context_sensitive;
        let Some(profile) = open_binary(bytes)?.filter(whole) else {
            return Ok(None);
        };
        let mut extents = Vec::new();
        for (part, encoded) in profile.functions.iter().enumerate() {
            let table = profile.table(encoded);
            encoded.decode(|cursor| {
                while !cursor.is_at_end() {
                    let start = cursor.position();
                    let index = skim_function(cursor, table.len())?;
                    extents.push(Extent {
                        part,
                        start,
                        name: table[index],
                    });
                }
                Ok(())
            })?;
        }
        Ok(Some(Self {
            names: profile.names,
            contexts: profile.contexts,
            known: Vec::new(),
            flags: profile.flags,
            symbols: profile.symbols,
            functions: Functions::Encoded {
                parts: profile.functions,
                tables: profile.tables,
                extents,
            },
        }))
    }

    fn decoded(bytes: &[u8], input: &MergeInput) -> Result<Self, InputError> {
        let profile = read(bytes, &input.name)?;
        Ok(Self {
            names: profile.names,
            contexts: profile.contexts,
            known: Vec::new(),
            flags: profile.flags,
            symbols: profile.symbols,
            functions: Functions::Decoded(profile.functions),
        })
    }

    /// Divides the functions among the shards; `ids` and `contexts` are the ids in the sum of the names and contexts, and
    /// `guids` those of the sum's names.
    pub(super) fn prepare(
        self,
        input: &'a MergeInput,
        ids: &[NameId],
        contexts: &[TakenContext],
        guids: &[u64],
    ) -> Prepared<'a> {
        let mut pieces: Vec<_> = (0..SHARDS).map(|_| Vec::new()).collect();
        let shard = |name: NameId| shard_of(guids[name.index()]);
        let mut source = Source {
            input,
            parts: Vec::new(),
            tables: Vec::new(),
        };
        match self.functions {
            Functions::Decoded(functions) => {
                for mut function in functions {
                    rename(&mut function, ids);
                    let TakenContext { context, key } = contexts[function.context.index()];
                    function.context = context;
                    if input.weight != 1 {
                        scale(&mut function, input.weight);
                    }
                    pieces[shard(function.name)].push(Piece::Decoded(function, key));
                }
            }
            Functions::Encoded {
                parts,
                mut tables,
                extents,
            } => {
                for Extent { part, start, name } in extents {
                    pieces[shard(ids[name.index()])].push(Piece::Encoded { part, start });
                }
                for name in tables.iter_mut().flatten() {
                    *name = ids[name.index()];
                }
                source.parts = parts;
                source.tables = tables;
            }
        }
        Prepared { source, pieces }
    }
}

/// Replaces the ids of a file by those of the sum.
fn rename(function: &mut FunctionSamples, ids: &[NameId]) {
    function.name = ids[function.name.index()];
    for target in function.body.iter_mut().flat_map(|record| &mut record.targets) {
        target.name = ids[target.name.index()];
    }
    for (_, inlinee) in &mut function.inlinees {
        rename(inlinee, ids);
    }
}

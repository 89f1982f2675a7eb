use std::borrow::Cow;
use std::ops::Range;

use super::decoder::{body_location, name_index};
use super::{Cursor, Decoder, metadata};
use crate::positions::{FunctionKey, Positions};
use crate::read::{Located, Place, ReadErrorKind};
use crate::{ContextTable, Frame, NameId, NameTable, Profile, ProfileFlags};

/// A binary profile that has been decoded except for its functions.
#[derive(Default)]
pub(crate) struct EncodedProfile<'a> {
    pub(crate) names: NameTable,
    /// Ids that the indexes into each name table of the file stand for. A file normally has one name table.
    pub(crate) tables: Vec<Vec<NameId>>,
    pub(crate) contexts: ContextTable,
    /// Functions that the indexes into each table of contexts stand for. Files that LLVM wrote have at most one such
    /// table.
    pub(crate) context_tables: Vec<Vec<FunctionKey>>,
    pub(crate) functions: Vec<Part<'a>>,
    /// Tables of the positions where functions start, as the file states them.
    pub(crate) offsets: Vec<Part<'a>>,
    pub(crate) metadata: Vec<Part<'a>>,
    pub(crate) flags: ProfileFlags,
    pub(crate) symbols: Option<Vec<NameId>>,
}

/// A part of a profile.
pub(crate) struct Part<'a> {
    /// The bytes of the part, decompressed.
    pub(crate) content: Cow<'a, [u8]>,
    /// The name of the part in error messages.
    pub(crate) name: &'static str,
    /// Offset of the part in the file, in bytes.
    pub(crate) offset: u64,
    /// Flags of the section.
    pub(crate) flags: u64,
    /// Index of the name table in [`EncodedProfile::tables`] that the part refers to.
    pub(crate) table: usize,
    /// Index of the table in [`EncodedProfile::context_tables`] that the part refers to.
    pub(crate) context_table: usize,
}

/// The place of a function that is not inlined.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    /// Index of the part in [`EncodedProfile::functions`].
    pub(crate) part: usize,
    pub(crate) bytes: Range<usize>,
    pub(crate) name: NameId,
}

impl Part<'_> {
    /// Returns the place in the file of the byte at `position` of the part.
    pub(crate) fn place(&self, position: usize) -> Place {
        let section = self.name;
        match self.content {
            Cow::Borrowed(_) => Place::Offset {
                section,
                offset: self.offset + position as u64,
            },
            Cow::Owned(_) => Place::Decompressed {
                section,
                offset: position as u64,
            },
        }
    }

    /// Runs `decode` over the content of the part. Adds the place to an error.
    pub(crate) fn decode<T>(
        &self,
        decode: impl FnOnce(&mut Cursor<'_>) -> Result<T, ReadErrorKind>,
    ) -> Result<T, Located> {
        let mut cursor = Cursor::new(&self.content);
        decode(&mut cursor).map_err(|kind| Located::new(self.place(cursor.position()), kind))
    }
}

impl EncodedProfile<'_> {
    /// Returns the names that the indexes in `part` stand for.
    pub(crate) fn table(&self, part: &Part<'_>) -> &[NameId] {
        self.tables.get(part.table).map_or(&[], Vec::as_slice)
    }

    /// Returns the contexts that the indexes in `part` stand for, or `None` if functions have no contexts.
    fn context_table(&self, part: &Part<'_>) -> Option<&[FunctionKey]> {
        let table = self.context_tables.get(part.context_table);
        self.flags
            .context_sensitive
            .then(|| table.map_or(&[][..], Vec::as_slice))
    }

    /// Returns the spans of the functions, one after the other, as the file states them. Returns `None` if the file
    /// does not state such spans. The statement may be false.
    pub(crate) fn stated_spans(&self) -> Option<Vec<Span>> {
        let ([functions], [offsets]) = (self.functions.as_slice(), self.offsets.as_slice()) else {
            return None;
        };
        let table = self.table(offsets);
        let mut cursor = Cursor::new(&offsets.content);
        let mut starts = Vec::new();
        for _ in 0..cursor.count("functions", MIN_OFFSET_SIZE).ok()? {
            let name = table[name_index(&mut cursor, table.len()).ok()?];
            starts.push((usize::try_from(cursor.number().ok()?).ok()?, name));
        }
        starts.sort_unstable();
        let ends = starts.iter().skip(1).map(|&(start, _)| start);
        let ends: Vec<_> = ends.chain([functions.content.len()]).collect();
        let spans = starts.into_iter().zip(ends).map(|((start, name), end)| {
            let bytes = start..end;
            (start < end).then_some(Span { part: 0, bytes, name })
        });
        spans.collect()
    }

    fn decoder(&self, part: &Part<'_>) -> Decoder<'_> {
        Decoder {
            names: &self.names,
            table: self.table(part),
            contexts: self.context_table(part),
            weight: 1,
        }
    }

    /// Decodes the functions.
    pub(crate) fn decode(self) -> Result<Profile, Located> {
        let mut functions = Vec::new();
        let mut positions = Positions::new(self.names.len());
        for part in &self.functions {
            let decoder = self.decoder(part);
            part.decode(|cursor| {
                while !cursor.is_at_end() {
                    let (head, key) = decoder.head(cursor)?;
                    let position = positions.get_or_add(key, &mut functions);
                    let function = &mut functions[position];
                    decoder.add_function(cursor, head, function)?;
                    if self.flags.context_sensitive && !function.inlinees.is_empty() {
                        return Err(ReadErrorKind::InlinedInContext);
                    }
                }
                Ok(())
            })?;
        }
        for part in &self.metadata {
            let decoder = self.decoder(part);
            part.decode(|cursor| metadata::read(cursor, decoder, part.flags, &mut functions, &positions))?;
        }
        Ok(Profile {
            names: self.names,
            contexts: self.contexts,
            functions,
            flags: self.flags,
            symbols: self.symbols,
        })
    }
}

/// Smallest size in bytes of an entry that states where a function starts: name, offset.
const MIN_OFFSET_SIZE: usize = 2;

/// Smallest size of a context in bytes: the number of frames, and one frame.
const MIN_CONTEXT_SIZE: usize = 1 + MIN_FRAME_SIZE;

/// Smallest size of a frame in bytes: name, line, discriminator.
const MIN_FRAME_SIZE: usize = 3;

/// Reads a table of contexts. Each context has for each of its frames, the outermost first, the name and the location
/// of the call.
///
/// The last frame is the function itself. That frame has no call, and compilers never look at its location, so the
/// location is not kept. LLVM's tools write zeros there.
pub(crate) fn read_contexts(
    cursor: &mut Cursor<'_>,
    table: &[NameId],
    contexts: &mut ContextTable,
) -> Result<Vec<FunctionKey>, ReadErrorKind> {
    let count = cursor.count("calling contexts", MIN_CONTEXT_SIZE)?;
    let mut keys = Vec::with_capacity(count);
    let mut frames = Vec::new();
    for _ in 0..count {
        frames.clear();
        for _ in 0..cursor.count("frames", MIN_FRAME_SIZE)? {
            let function = table[name_index(cursor, table.len())?];
            frames.push(Frame {
                function,
                location: body_location(cursor)?,
            });
        }
        let Frame { function: name, .. } = frames.pop().ok_or(ReadErrorKind::EmptyContext)?;
        keys.push(FunctionKey {
            name,
            context: contexts.intern(&frames),
        });
    }
    Ok(keys)
}

/// Size in bytes of a short name with the NUL after it. Most names are longer.
const USUAL_NAME_SIZE: usize = 8;

/// Reads a name table of NUL-terminated names.
pub(crate) fn read_names(cursor: &mut Cursor<'_>, names: &mut NameTable) -> Result<Vec<NameId>, ReadErrorKind> {
    // Few files have shorter names, and the reserved memory has to be small compared with the file.
    names.reserve((cursor.clone().number()? as usize).min(cursor.rest().len() / USUAL_NAME_SIZE));
    read_table(cursor, 1, |cursor| Ok(names.intern(cursor.string()?)))
}

/// Reads a name table of MD5 hashes, either as ULEB128 or as eight bytes each.
pub(crate) fn read_guids(
    cursor: &mut Cursor<'_>,
    fixed_length: bool,
    names: &mut NameTable,
) -> Result<Vec<NameId>, ReadErrorKind> {
    if fixed_length {
        read_table(cursor, 8, |cursor| Ok(names.intern_guid(cursor.fixed64()?)))
    } else {
        read_table(cursor, 1, |cursor| Ok(names.intern_guid(cursor.number()?)))
    }
}

fn read_table(
    cursor: &mut Cursor<'_>,
    entry_size: usize,
    mut read: impl FnMut(&mut Cursor<'_>) -> Result<NameId, ReadErrorKind>,
) -> Result<Vec<NameId>, ReadErrorKind> {
    let count = cursor.count("names", entry_size)?;
    let mut table = Vec::with_capacity(count);
    for _ in 0..count {
        table.push(read(cursor)?);
    }
    Ok(table)
}

use std::borrow::Cow;

use super::{Cursor, Decoder, metadata};
use crate::read::{Located, Place, ReadErrorKind};
use crate::{FunctionSamples, NameId, NameTable, Profile, ProfileFlags};

/// A binary profile of which all but the functions has been decoded.
#[derive(Default)]
pub(crate) struct EncodedProfile<'a> {
    pub(crate) names: NameTable,
    /// What indexes into the file's name tables stand for. There is normally one.
    pub(crate) tables: Vec<Vec<NameId>>,
    pub(crate) functions: Vec<Part<'a>>,
    pub(crate) metadata: Vec<Part<'a>>,
    pub(crate) flags: ProfileFlags,
    pub(crate) symbols: Option<Vec<NameId>>,
}

/// A part of a profile.
pub(crate) struct Part<'a> {
    /// Its bytes, decompressed.
    pub(crate) content: Cow<'a, [u8]>,
    /// What errors call it.
    pub(crate) name: &'static str,
    /// Where in the file it starts.
    pub(crate) offset: u64,
    /// Its section's flags.
    pub(crate) flags: u64,
    /// Which of [`EncodedProfile::tables`] it refers to.
    pub(crate) table: usize,
}

impl Part<'_> {
    /// The place of byte `position`.
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

    /// Runs `decode` over the content and gives its error a place.
    pub(crate) fn decode<T>(
        &self,
        decode: impl FnOnce(&mut Cursor<'_>) -> Result<T, ReadErrorKind>,
    ) -> Result<T, Located> {
        let mut cursor = Cursor::new(&self.content);
        decode(&mut cursor).map_err(|kind| Located::new(self.place(cursor.position()), kind))
    }
}

impl EncodedProfile<'_> {
    /// The names that indexes in `part` stand for.
    pub(crate) fn table(&self, part: &Part<'_>) -> &[NameId] {
        self.tables.get(part.table).map_or(&[], Vec::as_slice)
    }

    /// Decodes the functions.
    pub(crate) fn decode(self) -> Result<Profile, Located> {
        let mut functions = Vec::new();
        // Positions in `functions`, by name.
        let mut positions = vec![usize::MAX; self.names.len()];
        for part in &self.functions {
            let decoder = Decoder {
                names: &self.names,
                table: self.table(part),
                weight: 1,
            };
            part.decode(|cursor| {
                while !cursor.is_at_end() {
                    let (head, name) = decoder.head(cursor)?;
                    let position = &mut positions[name.index()];
                    if *position == usize::MAX {
                        *position = functions.len();
                        functions.push(FunctionSamples::new(name));
                    }
                    decoder.add_function(cursor, head, &mut functions[*position])?;
                }
                Ok(())
            })?;
        }
        for part in &self.metadata {
            let decoder = Decoder {
                names: &self.names,
                table: self.table(part),
                weight: 1,
            };
            part.decode(|cursor| metadata::read(cursor, decoder, part.flags, &mut functions, &positions))?;
        }
        Ok(Profile {
            names: self.names,
            functions,
            flags: self.flags,
            symbols: self.symbols,
        })
    }
}

/// A name table of NUL-terminated names.
pub(crate) fn read_names(cursor: &mut Cursor<'_>, names: &mut NameTable) -> Result<Vec<NameId>, ReadErrorKind> {
    read_table(cursor, 1, |cursor| Ok(names.intern(cursor.string()?)))
}

/// A name table of MD5 hashes, ULEB128 or eight bytes each.
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

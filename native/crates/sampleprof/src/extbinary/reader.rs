use std::borrow::Cow;

use super::inflate::inflate;
use super::section::{
    CS_NAME_TABLE, FUNC_METADATA, FUNC_OFFSET_TABLE, LBR_PROFILE, NAME_TABLE, PROFILE_SUMMARY, PROFILE_SYMBOL_LIST,
    flag,
};
use super::table::{SectionInfo, read_table};
use crate::binary::{Cursor, Decoder, read_summary};
use crate::combine::merge_same_names;
use crate::read::{Located, Place, ReadErrorKind};
use crate::{FunctionSamples, MAX_INLINE_DEPTH, NameId, Profile, ProfileFlags};

/// The sections, in the order of the section table.
pub(crate) fn read(file: &[u8]) -> Result<Profile, Located> {
    let mut reader = Reader::default();
    for section in read_table(file)? {
        if section.size > 0 {
            reader.section(file, section)?;
        }
    }
    let Reader {
        decoder,
        functions,
        flags,
        symbols,
    } = reader;
    Ok(Profile {
        names: decoder.names,
        functions,
        flags,
        symbols,
    })
}

#[derive(Default)]
struct Reader {
    decoder: Decoder,
    functions: Vec<FunctionSamples>,
    flags: ProfileFlags,
    symbols: Option<Vec<NameId>>,
}

impl Reader {
    fn section(&mut self, file: &[u8], section: SectionInfo) -> Result<(), Located> {
        let stored = section.bytes(file)?;
        let in_file = |offset: usize| Place::Offset {
            section: section.name(),
            offset: section.offset + offset as u64,
        };
        let content = if section.has(flag::COMPRESS) {
            let mut cursor = Cursor::new(stored);
            let content = inflate(&mut cursor);
            Cow::Owned(content.map_err(|kind| Located::new(in_file(cursor.position()), kind))?)
        } else {
            Cow::Borrowed(stored)
        };
        let mut cursor = Cursor::new(&content);
        self.content(&mut cursor, section).map_err(|kind| {
            let place = match content {
                Cow::Borrowed(_) => in_file(cursor.position()),
                Cow::Owned(_) => Place::Decompressed {
                    section: section.name(),
                    offset: cursor.position() as u64,
                },
            };
            Located::new(place, kind)
        })
    }

    fn content(&mut self, cursor: &mut Cursor<'_>, section: SectionInfo) -> Result<(), ReadErrorKind> {
        match section.section_type {
            PROFILE_SUMMARY => self.summary(cursor, section)?,
            NAME_TABLE if section.has(flag::MD5_NAME | flag::FIXED_LENGTH_MD5) => {
                self.decoder.read_guids(cursor, section.has(flag::FIXED_LENGTH_MD5))?;
            }
            NAME_TABLE => self.decoder.read_names(cursor)?,
            // Contexts are only used by what `summary` has refused; other profiles have a count of zero here.
            CS_NAME_TABLE => return Ok(()),
            // A way for compilers to read only some functions; this reader wants all.
            FUNC_OFFSET_TABLE => return Ok(()),
            LBR_PROFILE => self.functions(cursor)?,
            PROFILE_SYMBOL_LIST => self.symbols(cursor)?,
            FUNC_METADATA => self.metadata(cursor, section)?,
            // LLVM skips sections that it does not know, too.
            _ => return Ok(()),
        }
        match cursor.rest().len() {
            0 => Ok(()),
            trailing => Err(ReadErrorKind::TrailingBytes(trailing)),
        }
    }

    fn summary(&mut self, cursor: &mut Cursor<'_>, section: SectionInfo) -> Result<(), ReadErrorKind> {
        if section.has(flag::FULL_CONTEXT) {
            return Err(ReadErrorKind::Unsupported("context-sensitive profiles"));
        }
        if section.has(flag::VTABLE_TYPES) {
            return Err(ReadErrorKind::Unsupported("counts of virtual tables"));
        }
        self.flags.partial |= section.has(flag::PARTIAL);
        self.flags.fs_discriminators |= section.has(flag::FS_DISCRIMINATOR);
        self.flags.pre_inlined |= section.has(flag::PRE_INLINED);
        read_summary(cursor)?;
        Ok(())
    }

    fn functions(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReadErrorKind> {
        while !cursor.is_at_end() {
            self.functions.push(self.decoder.top_level(cursor)?);
        }
        merge_same_names(&mut self.functions, &self.decoder.names);
        Ok(())
    }

    fn symbols(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReadErrorKind> {
        let symbols = self.symbols.get_or_insert_default();
        while !cursor.is_at_end() {
            symbols.push(self.decoder.names.intern(cursor.string()?));
        }
        Ok(())
    }

    fn metadata(&mut self, cursor: &mut Cursor<'_>, section: SectionInfo) -> Result<(), ReadErrorKind> {
        self.flags.probe_based |= section.has(flag::PROBE_BASED);
        let metadata = Metadata {
            decoder: &self.decoder,
            checksums: section.has(flag::PROBE_BASED),
            attributes: section.has(flag::HAS_ATTRIBUTE),
        };
        let mut positions = vec![usize::MAX; self.decoder.names.len()];
        for (position, function) in self.functions.iter().enumerate() {
            positions[function.name.index()] = position;
        }
        while !cursor.is_at_end() {
            let name = self.decoder.name(cursor)?;
            metadata.read(cursor, self.functions.get_mut(positions[name.index()]), 0)?;
        }
        Ok(())
    }
}

/// Checksums and attributes, a tree of the same shape as the functions.
struct Metadata<'a> {
    decoder: &'a Decoder,
    checksums: bool,
    attributes: bool,
}

impl Metadata<'_> {
    /// What follows the name of `function`; metadata of a function without counts is skipped.
    fn read(
        &self,
        cursor: &mut Cursor<'_>,
        mut function: Option<&mut FunctionSamples>,
        depth: usize,
    ) -> Result<(), ReadErrorKind> {
        if depth > MAX_INLINE_DEPTH {
            return Err(ReadErrorKind::TooDeep);
        }
        if self.checksums {
            let checksum = cursor.number()?;
            if let Some(function) = &mut function {
                function.checksum = Some(checksum);
            }
        }
        if self.attributes {
            let attributes = cursor.number32()?;
            if let Some(function) = &mut function {
                function.attributes = attributes;
            }
        }
        // Fewest bytes: line, discriminator, name, number of inlinees.
        for _ in 0..cursor.count("inlined functions", 4)? {
            let location = self.decoder.call_site(cursor)?;
            let name = self.decoder.name(cursor)?;
            let key = (location, self.decoder.names.get(name));
            let callee = function.as_mut().and_then(|function| {
                let callees = &mut function.inlinees;
                let found =
                    callees.binary_search_by(|(at, callee)| (*at, self.decoder.names.get(callee.name)).cmp(&key));
                found.ok().map(|position| &mut callees[position].1)
            });
            self.read(cursor, callee, depth + 1)?;
        }
        Ok(())
    }
}

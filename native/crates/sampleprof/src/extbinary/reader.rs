use std::borrow::Cow;

use super::inflate::inflate;
use super::section::{
    CS_NAME_TABLE, FUNC_METADATA, FUNC_OFFSET_TABLE, LBR_PROFILE, NAME_TABLE, PROFILE_SUMMARY, PROFILE_SYMBOL_LIST,
    flag, known_flags,
};
use super::table::{SectionInfo, read_table};
use crate::binary::{Cursor, EncodedProfile, Part, read_contexts, read_guids, read_names, read_summary};
use crate::read::{Located, Place, ReadErrorKind};

/// Decodes the sections, in the order of the section table.
pub(crate) fn open(file: &[u8]) -> Result<EncodedProfile<'_>, Located> {
    let mut profile = EncodedProfile::default();
    let table = read_table(file)?;
    table.iter().try_for_each(check_flags)?;
    for section in table {
        if section.size > 0 {
            add_section(&mut profile, file, section)?;
        }
    }
    Ok(profile)
}

/// Refuses a section with an unknown flag, because the flag may mean that the section is to be read in another way.
fn check_flags(section: &SectionInfo) -> Result<(), Located> {
    let unknown = known_flags(section.section_type).map_or(0, |known| section.flags & !known);
    if unknown == 0 {
        return Ok(());
    }
    let kind = ReadErrorKind::UnknownFlags {
        section: section.name(),
        flags: unknown,
    };
    Err(Located::whole_file(kind))
}

fn add_section<'a>(profile: &mut EncodedProfile<'a>, file: &'a [u8], section: SectionInfo) -> Result<(), Located> {
    let part = Part {
        content: content(file, section)?,
        name: section.name(),
        offset: section.offset,
        flags: section.flags,
        table: profile.tables.len().saturating_sub(1),
        context_table: profile.context_tables.len().saturating_sub(1),
    };
    match section.section_type {
        PROFILE_SUMMARY => decode_all(&part, |cursor| add_summary(profile, cursor, section)),
        NAME_TABLE => {
            let names = &mut profile.names;
            let table = if section.has(flag::MD5_NAME | flag::FIXED_LENGTH_MD5) {
                decode_all(&part, |cursor| {
                    read_guids(cursor, section.has(flag::FIXED_LENGTH_MD5), names)
                })?
            } else {
                decode_all(&part, |cursor| read_names(cursor, names))?
            };
            profile.tables.push(table);
            Ok(())
        }
        LBR_PROFILE => {
            profile.functions.push(part);
            Ok(())
        }
        FUNC_METADATA => {
            profile.flags.probe_based |= section.has(flag::PROBE_BASED);
            profile.metadata.push(part);
            Ok(())
        }
        PROFILE_SYMBOL_LIST => decode_all(&part, |cursor| add_symbols(profile, cursor)),
        CS_NAME_TABLE => {
            let names = profile.tables.get(part.table).map_or(&[][..], Vec::as_slice);
            let contexts = &mut profile.contexts;
            let table = decode_all(&part, |cursor| read_contexts(cursor, names, contexts))?;
            profile.context_tables.push(table);
            Ok(())
        }
        FUNC_OFFSET_TABLE => {
            profile.offsets.push(part);
            Ok(())
        }
        // LLVM also skips sections of unknown types.
        _ => Ok(()),
    }
}

/// Returns the bytes of a section, decompressed.
fn content(file: &[u8], section: SectionInfo) -> Result<Cow<'_, [u8]>, Located> {
    let stored = section.bytes(file)?;
    if !section.has(flag::COMPRESS) {
        return Ok(Cow::Borrowed(stored));
    }
    let mut cursor = Cursor::new(stored);
    inflate(&mut cursor).map(Cow::Owned).map_err(|kind| {
        let offset = section.offset + cursor.position() as u64;
        Located::new(
            Place::Offset {
                section: section.name(),
                offset,
            },
            kind,
        )
    })
}

/// Decodes a section that must hold nothing else.
fn decode_all<T>(
    part: &Part<'_>,
    decode: impl FnOnce(&mut Cursor<'_>) -> Result<T, ReadErrorKind>,
) -> Result<T, Located> {
    part.decode(|cursor| {
        let value = decode(cursor)?;
        match cursor.rest().len() {
            0 => Ok(value),
            trailing => Err(ReadErrorKind::TrailingBytes(trailing)),
        }
    })
}

fn add_summary(
    profile: &mut EncodedProfile<'_>,
    cursor: &mut Cursor<'_>,
    section: SectionInfo,
) -> Result<(), ReadErrorKind> {
    if section.has(flag::VTABLE_TYPES) {
        return Err(ReadErrorKind::Unsupported("counts of virtual tables"));
    }
    profile.flags.context_sensitive |= section.has(flag::FULL_CONTEXT);
    profile.flags.partial |= section.has(flag::PARTIAL);
    profile.flags.fs_discriminators |= section.has(flag::FS_DISCRIMINATOR);
    profile.flags.pre_inlined |= section.has(flag::PRE_INLINED);
    read_summary(cursor)?;
    Ok(())
}

fn add_symbols(profile: &mut EncodedProfile<'_>, cursor: &mut Cursor<'_>) -> Result<(), ReadErrorKind> {
    let symbols = profile.symbols.get_or_insert_default();
    while !cursor.is_at_end() {
        symbols.push(profile.names.intern(cursor.string()?));
    }
    Ok(())
}

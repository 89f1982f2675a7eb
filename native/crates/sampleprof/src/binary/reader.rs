use super::{Cursor, Decoder, VERSION};
use crate::combine::merge_same_names;
use crate::read::{Located, Place, ReadErrorKind};
use crate::{Profile, ProfileSummary, SummaryEntry};

/// Header, summary, name table, functions up to the end of the file.
pub(crate) fn read(bytes: &[u8]) -> Result<Profile, Located> {
    let mut cursor = Cursor::new(bytes);
    let mut section = "header";
    let profile = read_parts(&mut cursor, &mut section);
    profile.map_err(|kind| {
        Located::new(
            Place::Offset {
                section,
                offset: cursor.position() as u64,
            },
            kind,
        )
    })
}

fn read_parts(cursor: &mut Cursor<'_>, section: &mut &'static str) -> Result<Profile, ReadErrorKind> {
    read_version(cursor)?;
    *section = "summary";
    read_summary(cursor)?;
    *section = "name table";
    let mut decoder = Decoder::default();
    decoder.read_names(cursor)?;
    *section = "functions";
    let mut functions = Vec::new();
    while !cursor.is_at_end() {
        functions.push(decoder.top_level(cursor)?);
    }
    merge_same_names(&mut functions, &decoder.names);
    Ok(Profile {
        names: decoder.names,
        functions,
        ..Profile::default()
    })
}

/// The magic number, which has been looked at, and the version.
pub(crate) fn read_version(cursor: &mut Cursor<'_>) -> Result<(), ReadErrorKind> {
    cursor.number()?;
    let start = cursor.clone();
    match cursor.number()? {
        VERSION => Ok(()),
        found => {
            *cursor = start;
            Err(ReadErrorKind::UnsupportedVersion { found })
        }
    }
}

/// The summary that was stored. Counts can change after reading, so whoever needs a summary computes it.
pub(crate) fn read_summary(cursor: &mut Cursor<'_>) -> Result<ProfileSummary, ReadErrorKind> {
    let mut summary = ProfileSummary {
        total_count: cursor.number()?,
        max_count: cursor.number()?,
        max_function_count: cursor.number()?,
        num_counts: cursor.number()?,
        num_functions: cursor.number()?,
        entries: Vec::new(),
    };
    let entries = cursor.count("summary entries", 3)?;
    summary.entries.reserve_exact(entries);
    for _ in 0..entries {
        summary.entries.push(SummaryEntry {
            cutoff: cursor.number32()?,
            min_count: cursor.number()?,
            num_counts: cursor.number()?,
        });
    }
    Ok(summary)
}

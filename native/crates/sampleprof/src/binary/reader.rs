use std::borrow::Cow;

use super::encoded::{EncodedProfile, Part, read_names};
use super::{Cursor, VERSION};
use crate::read::{Located, Place, ReadErrorKind};
use crate::{ProfileSummary, SummaryEntry};

/// Reads the header, the summary and the name table. The rest of the file is the functions.
pub(crate) fn open(bytes: &[u8]) -> Result<EncodedProfile<'_>, Located> {
    let mut cursor = Cursor::new(bytes);
    let mut section = "header";
    let profile = open_parts(&mut cursor, &mut section);
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

fn open_parts<'a>(cursor: &mut Cursor<'a>, section: &mut &'static str) -> Result<EncodedProfile<'a>, ReadErrorKind> {
    let mut profile = EncodedProfile::default();
    read_version(cursor)?;
    *section = "summary";
    read_summary(cursor)?;
    *section = "name table";
    profile.tables.push(read_names(cursor, &mut profile.names)?);
    let offset = cursor.position() as u64;
    let content = Cow::Borrowed(cursor.rest());
    profile.functions.push(Part {
        content,
        name: "functions",
        offset,
        flags: 0,
        table: 0,
        context_table: 0,
    });
    Ok(profile)
}

/// Skips the magic number, which the caller has checked, and checks the version.
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

/// Reads the summary that the file stores. Counts can change after reading, so code that needs a summary computes it
/// anew.
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

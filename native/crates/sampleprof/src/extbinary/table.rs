use super::section::{self, flag};
use crate::binary::{Cursor, read_version};
use crate::read::{Located, Place, ReadErrorKind};

/// Bytes of a row of the section table: type, flags, offset and size, eight bytes each.
pub(crate) const ENTRY_SIZE: usize = 32;

/// One row of an extbinary profile's section table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionInfo {
    /// Type of the section, a value of LLVM's `SecType`.
    pub section_type: u64,
    /// Flags of the section: those common to all sections in the lower 32 bits, those of its type in the upper 32
    /// bits.
    pub flags: u64,
    /// Offset of the section in the file, in bytes.
    pub offset: u64,
    /// Size of the section in the file, in bytes.
    pub size: u64,
}

impl SectionInfo {
    /// Returns LLVM's name of the section.
    #[must_use]
    pub fn name(&self) -> &'static str {
        section::name(self.section_type)
    }

    /// Returns true if any bit of `flag` is set.
    #[must_use]
    pub(crate) fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// Returns the flags in LLVM's words, such as `{compressed,fixlenmd5}`.
    #[must_use]
    pub fn flag_names(&self) -> String {
        let own: &[(u64, &str)] = match self.section_type {
            section::NAME_TABLE if self.has(flag::FIXED_LENGTH_MD5) => {
                &[(flag::FIXED_LENGTH_MD5, "fixlenmd5"), (flag::UNIQ_SUFFIX, "uniq")]
            }
            section::NAME_TABLE => &[(flag::MD5_NAME, "md5"), (flag::UNIQ_SUFFIX, "uniq")],
            section::PROFILE_SUMMARY => &[
                (flag::PARTIAL, "partial"),
                (flag::FULL_CONTEXT, "context"),
                (flag::PRE_INLINED, "preInlined"),
                (flag::FS_DISCRIMINATOR, "fs-discriminator"),
            ],
            section::FUNC_OFFSET_TABLE => &[(flag::ORDERED, "ordered")],
            section::FUNC_METADATA => &[(flag::PROBE_BASED, "probe"), (flag::HAS_ATTRIBUTE, "attr")],
            _ => &[],
        };
        let common = [(flag::COMPRESS, "compressed"), (flag::FLAT, "flat")];
        let set: Vec<_> = common
            .iter()
            .chain(own)
            .filter(|(flag, _)| self.has(*flag))
            .map(|(_, name)| *name)
            .collect();
        format!("{{{}}}", set.join(","))
    }

    /// Returns the bytes of the section in `file`.
    pub(crate) fn bytes<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], Located> {
        let start = usize::try_from(self.offset).ok();
        let end = self
            .offset
            .checked_add(self.size)
            .and_then(|end| usize::try_from(end).ok());
        start
            .zip(end)
            .and_then(|(start, end)| file.get(start..end))
            .ok_or_else(|| {
                let kind = ReadErrorKind::SectionOutsideFile {
                    offset: self.offset,
                    size: self.size,
                    file_size: file.len(),
                };
                Located::new(
                    Place::Offset {
                        section: self.name(),
                        offset: self.offset,
                    },
                    kind,
                )
            })
    }
}

/// Reads the rows of the section table, in the order in which the sections are read.
pub(crate) fn read_table(file: &[u8]) -> Result<Vec<SectionInfo>, Located> {
    let mut cursor = Cursor::new(file);
    let rows = read_rows(&mut cursor);
    let place = Place::Offset {
        section: "section table",
        offset: cursor.position() as u64,
    };
    rows.map_err(|kind| Located::new(place, kind))
}

fn read_rows(cursor: &mut Cursor<'_>) -> Result<Vec<SectionInfo>, ReadErrorKind> {
    read_version(cursor)?;
    let start = cursor.clone();
    let count = cursor.fixed64()?;
    let remaining = cursor.rest().len();
    if count > (remaining / ENTRY_SIZE) as u64 {
        *cursor = start;
        return Err(ReadErrorKind::CountTooLarge {
            what: "sections",
            count,
            remaining,
        });
    }
    (0..count)
        .map(|_| {
            Ok(SectionInfo {
                section_type: cursor.fixed64()?,
                flags: cursor.fixed64()?,
                offset: cursor.fixed64()?,
                size: cursor.fixed64()?,
            })
        })
        .collect()
}

//! The DWARF sections of one ELF file: borrowed from the file where they are stored plain, decompressed otherwise.

use std::convert::Infallible;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gimli::{Dwarf, EndianSlice, LittleEndian, Reader, SectionId};
use object::{CompressionFormat, Object, ObjectSection};
use rayon::prelude::*;

use crate::diagnostics::{DebugFormat, Diagnostic};
use crate::error::SymbolizeError;

/// The bytes of a file, shared with whoever else reads them; a memory map or a vector.
pub type FileData = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A section as gimli reads it.
pub(crate) type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// Which set of section names is meant: `.debug_info` or, in split DWARF, `.debug_info.dwo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectionSet {
    Plain,
    Dwo,
}

/// The sections this crate reads; the others are never decompressed.
const READ: [SectionId; 11] = [
    SectionId::DebugAbbrev,
    SectionId::DebugAddr,
    SectionId::DebugAranges,
    SectionId::DebugCuIndex,
    SectionId::DebugInfo,
    SectionId::DebugLine,
    SectionId::DebugLineStr,
    SectionId::DebugRanges,
    SectionId::DebugRngLists,
    SectionId::DebugStr,
    SectionId::DebugStrOffsets,
];

/// Sections without use here that gimli nevertheless cuts into shares when it takes a unit from a package.
const READ_IN_PACKAGES: [SectionId; 6] = [
    SectionId::DebugLoc,
    SectionId::DebugLocLists,
    SectionId::DebugMacinfo,
    SectionId::DebugMacro,
    SectionId::DebugTuIndex,
    SectionId::DebugTypes,
];

enum Bytes {
    InFile(Range<usize>),
    Decompressed(Vec<u8>),
}

/// The DWARF sections of one file.
pub(crate) struct Sections {
    file: FileData,
    table: Vec<(SectionId, Bytes)>,
    /// How the first compressed one of them is compressed.
    pub(crate) compression: Option<CompressionFormat>,
}

/// What an ELF file says about its debug information.
pub(crate) struct ElfFile {
    pub(crate) path: PathBuf,
    pub(crate) file: FileData,
    pub(crate) build_id: Option<Vec<u8>>,
    /// File name and CRC-32.
    pub(crate) debuglink: Option<(Vec<u8>, u32)>,
    /// The file that dwz moved shared debug information to.
    pub(crate) supplementary: Option<Supplement>,
    /// The identity that its own `.debug_sup` gives, if it is such a file (DWARF 5 section 7.3.6).
    pub(crate) supplementary_id: Option<Vec<u8>>,
    pub(crate) has_debug_info: bool,
    /// What it has in the place of DWARF.
    pub(crate) other_format: Option<DebugFormat>,
    pub(crate) has_symbols: bool,
}

impl DebugFormat {
    /// The first of these formats that a file has.
    fn of(elf: &object::File<'_>) -> Option<Self> {
        let formats = [
            (".stab", Self::Stabs),
            (".debug", Self::Dwarf1),
            (".ctf", Self::Ctf),
            (".SUNW_ctf", Self::Ctf),
            (".BTF", Self::Btf),
            (".gnu_debugdata", Self::MiniDebugInfo),
        ];
        let has = |name| elf.section_by_name(name).is_some_and(|section| section.size() > 0);
        formats
            .into_iter()
            .find(|(name, _)| has(name))
            .map(|(_, format)| format)
    }
}

/// What a file says of the supplementary file that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Supplement {
    /// Its path as dwz wrote it.
    pub(crate) name: Vec<u8>,
    /// Its build id (`.gnu_debugaltlink`) or its checksum (`.debug_sup`).
    pub(crate) id: Vec<u8>,
}

/// `.debug_sup` (DWARF 5 section 7.3.6): a version, whether this is the supplementary file, the path of the other one, and a
/// checksum that both have.
fn debug_sup(elf: &object::File<'_>) -> Option<(bool, Supplement)> {
    let data = elf.section_by_name(".debug_sup")?.uncompressed_data().ok()?;
    let mut reader = EndianSlice::new(&data, LittleEndian);
    if reader.read_u16().ok()? != 5 {
        return None;
    }
    let is_supplementary = reader.read_u8().ok()? != 0;
    let name = reader.read_null_terminated_slice().ok()?.to_slice().ok()?.into_owned();
    let length = usize::try_from(reader.read_uleb128().ok()?).ok()?;
    let id = reader.split(length).ok()?.to_slice().ok()?.into_owned();
    Some((is_supplementary, Supplement { name, id }))
}

/// What a debug file is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    DebugInfo,
    Symbols,
}

/// `.zdebug_info` and `.debug_info` are the same section.
fn canonical_name(name: &str) -> Option<&str> {
    name.strip_prefix(".debug_").or_else(|| name.strip_prefix(".zdebug_"))
}

/// Whether a section's standard name ends in this canonical one.
fn names(section: &str, canonical: &str) -> bool {
    canonical_name(section) == Some(canonical)
}

fn parse<'a>(path: &Path, data: &'a [u8]) -> Result<object::File<'a>, SymbolizeError> {
    let elf = object::File::parse(data).map_err(|source| SymbolizeError::NotElf {
        path: path.to_owned(),
        source,
    })?;
    if elf.endianness() != object::Endianness::Little {
        return Err(SymbolizeError::BigEndian { path: path.to_owned() });
    }
    Ok(elf)
}

impl ElfFile {
    pub(crate) fn parse(path: &Path, file: FileData) -> Result<Self, SymbolizeError> {
        let elf = parse(path, (*file).as_ref())?;
        let has_debug_info = elf.sections().any(|section| {
            section.size() > 0
                && section.file_range().is_some()
                && section.name().is_ok_and(|name| canonical_name(name) == Some("info"))
        });
        // A broken note or link says nothing; the search simply has one hint less.
        let build_id = elf.build_id().ok().flatten().map(<[u8]>::to_vec);
        let debuglink = elf.gnu_debuglink().ok().flatten();
        let debuglink = debuglink.map(|(name, crc)| (name.to_vec(), crc));
        let link = elf.gnu_debugaltlink().ok().flatten().map(|(name, id)| Supplement {
            name: name.to_vec(),
            id: id.to_vec(),
        });
        let (supplementary, supplementary_id) = match debug_sup(&elf) {
            Some((true, own)) => (link, Some(own.id)),
            Some((false, other)) => (link.or(Some(other)), None),
            None => (link, None),
        };
        Ok(Self {
            path: path.to_owned(),
            build_id,
            debuglink,
            supplementary,
            supplementary_id,
            has_debug_info,
            other_format: (!has_debug_info).then(|| DebugFormat::of(&elf)).flatten(),
            has_symbols: elf.symbol_table().is_some(),
            file,
        })
    }

    pub(crate) fn has(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::DebugInfo => self.has_debug_info,
            Wanted::Symbols => self.has_symbols,
        }
    }

    /// The file with addresses, if it is relocatable, as the debug file of a kernel module is.
    pub(crate) fn with_addresses(mut self, diagnostics: &mut Vec<Diagnostic>) -> Result<Self, SymbolizeError> {
        let data = (*self.file).as_ref();
        if !elf::is_relocatable(data) {
            return Ok(self);
        }
        let laid_out = elf::lay_out(data, &self.path)?;
        diagnostics.extend(laid_out.problems.into_iter().map(|problem| Diagnostic::Layout {
            path: self.path.clone(),
            problem,
        }));
        self.file = Arc::new(laid_out.bytes);
        Ok(self)
    }

    /// The DWARF sections, those named `.zdebug_*` too if `zdebug`; one that cannot be read is left empty and reported.
    pub(crate) fn sections(
        &self,
        set: SectionSet,
        zdebug: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Sections, SymbolizeError> {
        let data = (*self.file).as_ref();
        let elf = parse(&self.path, data)?;
        let mut found = Vec::new();
        for section in elf.sections() {
            let Ok(name) = section.name() else { continue };
            let Some(suffix) = canonical_name(name) else {
                continue;
            };
            if !zdebug && name.starts_with(".z") {
                continue;
            }
            let id = match set {
                SectionSet::Plain => READ.into_iter().find(|id| names(id.name(), suffix)),
                SectionSet::Dwo => READ
                    .into_iter()
                    .chain(READ_IN_PACKAGES)
                    .find(|id| id.dwo_name().is_some_and(|name| names(name, suffix))),
            };
            let Some(id) = id else { continue };
            if found.iter().all(|(seen, _, _)| *seen != id) {
                found.push((id, name.to_owned(), section.compressed_file_range()));
            }
        }
        let formats = found
            .iter()
            .filter_map(|(_, _, range)| Some(range.as_ref().ok()?.format));
        let compression = formats.into_iter().find(|format| *format != CompressionFormat::None);
        let read: Vec<_> = found
            .into_par_iter()
            .map(|(id, name, range)| {
                let bytes = range
                    .map_err(|error| error.to_string())
                    .and_then(|range| section_bytes(data, &range));
                (id, name, bytes)
            })
            .collect();
        let mut table = Vec::with_capacity(read.len());
        for (id, section, bytes) in read {
            match bytes {
                Ok(bytes) => table.push((id, bytes)),
                Err(reason) => diagnostics.push(Diagnostic::UnreadableSection {
                    path: self.path.clone(),
                    section,
                    reason,
                }),
            }
        }
        Ok(Sections {
            file: Arc::clone(&self.file),
            table,
            compression,
        })
    }
}

fn section_bytes(data: &[u8], range: &object::CompressedFileRange) -> Result<Bytes, String> {
    let outside = || {
        format!(
            "bytes {:#x}+{:#x} lie outside the file of {:#x} bytes",
            range.offset,
            range.compressed_size,
            data.len()
        )
    };
    let start = usize::try_from(range.offset).map_err(|_| outside())?;
    let len = usize::try_from(range.compressed_size).map_err(|_| outside())?;
    let end = start.checked_add(len).ok_or_else(outside)?;
    let raw = data.get(start..end).ok_or_else(outside)?;
    match range.format {
        CompressionFormat::None => Ok(Bytes::InFile(start..end)),
        format => elf::decompress_section(raw, format, range.uncompressed_size).map(Bytes::Decompressed),
    }
}

impl Sections {
    /// The section's bytes, empty if the file has none.
    pub(crate) fn get(&self, id: SectionId) -> Slice<'_> {
        let bytes = match self.table.iter().find(|(known, _)| *known == id) {
            Some((_, Bytes::InFile(range))) => &(*self.file).as_ref()[range.clone()],
            Some((_, Bytes::Decompressed(bytes))) => bytes,
            None => &[],
        };
        EndianSlice::new(bytes, LittleEndian)
    }
}

/// The sections as gimli reads them.
pub(crate) fn dwarf(sections: &Sections) -> Dwarf<Slice<'_>> {
    let Ok(dwarf) = Dwarf::load(|id| Ok::<_, Infallible>(sections.get(id)));
    dwarf
}

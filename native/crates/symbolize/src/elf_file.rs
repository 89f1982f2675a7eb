//! Reads the facts about debug information in an ELF file, without reading the debug information.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use elf::FileData;
use gimli::{EndianSlice, LittleEndian, Reader};
use object::{Object, ObjectSection};

use crate::diagnostics::{DebugFormat, Diagnostic};
use crate::error::SymbolizeError;

/// An ELF file, and the facts about its debug information.
pub(crate) struct ElfFile {
    pub(crate) path: PathBuf,
    pub(crate) data: FileData,
    pub(crate) build_id: Option<Vec<u8>>,
    /// File name and CRC-32 in `.gnu_debuglink`.
    pub(crate) debuglink: Option<(Vec<u8>, u32)>,
    /// Reference to the file to which dwz moved shared debug information.
    pub(crate) supplementary: Option<Supplement>,
    /// Checksum in the file's own `.debug_sup`, if the file is a supplementary file (DWARF 5 section 7.3.6).
    pub(crate) supplementary_id: Option<Vec<u8>>,
    pub(crate) has_debug_info: bool,
    /// Format of the debug information, if the file has another format in the place of DWARF.
    pub(crate) other_format: Option<DebugFormat>,
    pub(crate) has_symbols: bool,
}

impl DebugFormat {
    /// Returns the first of these formats that the file has.
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

/// Reference of a file to the supplementary file that it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Supplement {
    /// Path of the supplementary file, as dwz wrote it.
    pub(crate) name: Vec<u8>,
    /// Build id of the supplementary file (`.gnu_debugaltlink`) or its checksum (`.debug_sup`).
    pub(crate) id: Vec<u8>,
}

/// Reads `.debug_sup` (DWARF 5 section 7.3.6): a version, whether this is the supplementary file, the path of the
/// other file, and a checksum that both files have.
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

/// The sections for which a debug file is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    DebugInfo,
    Symbols,
}

pub(crate) fn parse<'a>(path: &Path, data: &'a [u8]) -> Result<object::File<'a>, SymbolizeError> {
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
    pub(crate) fn parse(path: &Path, data: FileData) -> Result<Self, SymbolizeError> {
        let elf = parse(path, (*data).as_ref())?;
        let has_debug_info = elf.sections().any(|section| {
            section.size() > 0
                && section.file_range().is_some()
                && section
                    .name()
                    .is_ok_and(|name| matches!(name, ".debug_info" | ".zdebug_info"))
        });
        // A malformed note or link counts as absent: the search then has one reference less.
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
            data,
        })
    }

    pub(crate) fn has(&self, wanted: Wanted) -> bool {
        match wanted {
            Wanted::DebugInfo => self.has_debug_info,
            Wanted::Symbols => self.has_symbols,
        }
    }

    /// Gives addresses to the file if it is relocatable, as the debug file of a kernel module is.
    pub(crate) fn with_addresses(mut self, diagnostics: &mut Vec<Diagnostic>) -> Result<Self, SymbolizeError> {
        let data = (*self.data).as_ref();
        if !elf::is_relocatable(data) {
            return Ok(self);
        }
        let laid_out = elf::lay_out(data, &self.path)?;
        diagnostics.extend(laid_out.problems.into_iter().map(|problem| Diagnostic::Layout {
            path: self.path.clone(),
            problem,
        }));
        self.data = Arc::new(laid_out.bytes);
        Ok(self)
    }
}

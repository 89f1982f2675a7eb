//! The DWARF sections of one ELF file. Sections that are stored plain are borrowed from the file, others are
//! decompressed.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dwarf::Slice;
use elf::FileData;
use gimli::{DebugLineOffset, Dwarf, EndianSlice, LittleEndian, Reader as _, SectionId};
use object::{CompressionFormat, Object, ObjectSection};
use rayon::prelude::*;

use crate::diagnostics::Diagnostic;
use crate::elf_file::{ElfFile, parse};
use crate::error::SymbolizeError;

/// The set of section names: `.debug_info` or, in split DWARF, `.debug_info.dwo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SectionSet {
    Plain,
    Dwo,
}

/// The sections that this crate reads. Other sections are never decompressed.
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

/// Number of bytes of units after which their memory is given back. With a smaller number, reading them again costs
/// more.
const RESIDENT_UNITS: usize = 16 << 20;

/// Number of bytes of line programs after which their memory is given back. Each is read once for frames.
const RESIDENT_LINES: usize = 4 << 20;

/// Sections that this crate does not use. gimli nevertheless cuts them into parts when it takes a unit from a
/// package.
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
    /// Number of bytes of units that have been read.
    units_read: AtomicUsize,
    /// Number of bytes of line programs that have been read.
    lines_read: AtomicUsize,
    /// Compression of the first compressed section.
    pub(crate) compression: Option<CompressionFormat>,
}

/// Returns the part of a section name after `.debug_` or `.zdebug_`, which is the same for both names of a
/// section.
fn canonical_name(name: &str) -> Option<&str> {
    name.strip_prefix(".debug_").or_else(|| name.strip_prefix(".zdebug_"))
}

/// Returns true if `canonical` is the part of the standard name `section` after `.debug_`.
fn is_section_name(section: &str, canonical: &str) -> bool {
    canonical_name(section) == Some(canonical)
}

/// Returns the number of zero bytes from which a section without any other byte is taken for overwritten. Empty
/// lists of ranges are 16 bytes long each.
fn min_zeros(id: SectionId) -> usize {
    if id == SectionId::DebugRanges { 64 } else { 16 }
}

/// Refuses a section that was overwritten with zeros: each of its names would be empty, and each of its offsets
/// that of the first entry.
fn refuse_zeros(id: SectionId, bytes: Bytes, file: &[u8]) -> Result<Bytes, String> {
    let content = match &bytes {
        Bytes::InFile(range) => &file[range.clone()],
        Bytes::Decompressed(content) => content,
    };
    let is_zeroed = content.len() >= min_zeros(id) && content.iter().all(|byte| *byte == 0);
    if is_zeroed && READ.contains(&id) {
        return Err("all of its bytes are zero".to_owned());
    }
    Ok(bytes)
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
    /// Returns the sections in the type of gimli.
    pub(crate) fn dwarf(&self) -> Dwarf<Slice<'_>> {
        let Ok(dwarf) = Dwarf::load(|id| Ok::<_, Infallible>(self.get(id)));
        dwarf
    }

    /// Reads the DWARF sections, with those named `.zdebug_*` if `zdebug` is true. A section that cannot be read is
    /// left empty and reported.
    pub(crate) fn read(
        file: &ElfFile,
        set: SectionSet,
        zdebug: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Self, SymbolizeError> {
        let data = (*file.data).as_ref();
        let elf = parse(&file.path, data)?;
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
                SectionSet::Plain => READ.into_iter().find(|id| is_section_name(id.name(), suffix)),
                SectionSet::Dwo => READ
                    .into_iter()
                    .chain(READ_IN_PACKAGES)
                    .find(|id| id.dwo_name().is_some_and(|name| is_section_name(name, suffix))),
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
            match bytes.and_then(|bytes| refuse_zeros(id, bytes, data)) {
                Ok(bytes) => table.push((id, bytes)),
                Err(reason) => diagnostics.push(Diagnostic::UnreadableSection {
                    path: file.path.clone(),
                    section,
                    reason,
                }),
            }
        }
        Ok(Self {
            file: Arc::clone(&file.data),
            table,
            units_read: AtomicUsize::new(0),
            lines_read: AtomicUsize::new(0),
            compression,
        })
    }

    /// Notes that a unit of `bytes` bytes was read. Each unit is read once or twice, and `.debug_info` may be
    /// larger than all other data. So from time to time the memory of the section is given back.
    pub(crate) fn note_unit_read(&self, bytes: usize) {
        self.note_read(SectionId::DebugInfo, &self.units_read, bytes, RESIDENT_UNITS);
    }

    /// Notes that the line program at `offset` was read, as [`note_unit_read`](Self::note_unit_read) does for units.
    pub(crate) fn note_line_program_read(&self, offset: DebugLineOffset) {
        let mut lines = self.get(SectionId::DebugLine);
        let length = lines.skip(offset.0).and_then(|()| lines.read_initial_length());
        let bytes = length.map_or(0, |(length, _)| length.min(lines.len()));
        self.note_read(SectionId::DebugLine, &self.lines_read, bytes, RESIDENT_LINES);
    }

    /// Adds `bytes` to the bytes of the section that were read. Gives back the memory of the section whenever
    /// `resident` bytes more were read.
    fn note_read(&self, id: SectionId, read: &AtomicUsize, bytes: usize, resident: usize) {
        let before = read.fetch_add(bytes, Ordering::Relaxed);
        if before / resident == before.wrapping_add(bytes) / resident {
            return;
        }
        let section = self.table.iter().find(|(known, _)| *known == id);
        if let Some((_, Bytes::InFile(range))) = section {
            self.file.release(range.clone());
        }
    }

    /// Returns the bytes of the section; empty if the file has no such section.
    pub(crate) fn get(&self, id: SectionId) -> Slice<'_> {
        let bytes = match self.table.iter().find(|(known, _)| *known == id) {
            Some((_, Bytes::InFile(range))) => &(*self.file).as_ref()[range.clone()],
            Some((_, Bytes::Decompressed(bytes))) => bytes,
            None => &[],
        };
        EndianSlice::new(bytes, LittleEndian)
    }
}

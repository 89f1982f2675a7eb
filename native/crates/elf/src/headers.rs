//! Checks the headers of an ELF file once and keeps the values that are needed.

use std::ops::Range;
use std::path::Path;

use object::LittleEndian;
use object::elf;
use object::read::SymbolIndex;
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _, SectionTable, Sym as _, SymbolTable};

use crate::format::{ENDIAN, Elf, Elf32};
use crate::kind::{Arch, ImageKind};
use crate::relocatable::{Area, is_relocatable, section_names};
use crate::symbol::RawSymbol;
use crate::{FileOffset, ImageError, Svma, file_type};

/// One `PT_LOAD` program header. A kernel module has no program headers: there, one segment stands for the code
/// that stays in memory, and another one for the code that is freed after initialization. These segments are not in
/// one piece in the file, so their `file_size` is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadSegment {
    /// Address of the segment, `p_vaddr`.
    pub svma: Svma,
    /// Offset of the segment in the file, `p_offset`.
    pub offset: FileOffset,
    /// Number of bytes in the file, `p_filesz`.
    pub file_size: u64,
    /// Number of bytes in memory, `p_memsz`.
    pub mem_size: u64,
    /// Alignment in bytes, `p_align`.
    pub alignment: u64,
    /// True if `p_flags` has `PF_X`.
    pub executable: bool,
}

impl LoadSegment {
    /// Returns the address at which the byte at `offset` of the file is loaded; `None` if this segment does not
    /// hold the byte.
    #[must_use]
    pub fn svma_of_file_offset(&self, offset: FileOffset) -> Option<Svma> {
        let inside = offset.0.checked_sub(self.offset.0)?;
        (inside < self.file_size).then(|| self.svma.wrapping_add(inside))
    }
}

/// The values in the headers of an image, checked against the length of the file.
pub(crate) struct Headers {
    pub(crate) arch: Arch,
    pub(crate) kind: ImageKind,
    pub(crate) segments: Vec<LoadSegment>,
    pub(crate) sections: Vec<SectionHeader>,
    /// Range of the file that has the string table of the section headers.
    pub(crate) section_strings: Range<usize>,
    /// Range of the file that has the string table of `.symtab`; empty if there is no `.symtab`.
    pub(crate) symbol_strings: Range<usize>,
    /// Range of the file that has the bytes of the build id.
    pub(crate) build_id: Option<Range<usize>>,
}

/// A section header whose name and extent have been checked.
pub(crate) struct SectionHeader {
    /// Offset of the name in the string table of the section headers.
    pub(crate) name: u32,
    pub(crate) svma: Svma,
    /// Size in bytes, `sh_size`.
    pub(crate) size: u64,
    /// Range of the file that has the content. Empty for `SHT_NOBITS`, and for content that is cut off by the end
    /// of the file.
    pub(crate) data: Range<usize>,
    pub(crate) allocated: bool,
    pub(crate) executable: bool,
    pub(crate) progbits: bool,
}

/// Reads and checks the headers of `data`. `code` has the areas of code if `data` is a relocatable file that was
/// laid out.
pub(crate) fn read_headers(data: &[u8], path: &Path, code: Option<&[Area]>) -> Result<Headers, ImageError> {
    if identify(data, path)? == elf::ELFCLASS32 {
        read_headers_of::<Elf32>(data, path, code)
    } else {
        read_headers_of::<Elf>(data, path, code)
    }
}

fn read_headers_of<E: FileHeader<Endian = LittleEndian>>(
    data: &[u8],
    path: &Path,
    code: Option<&[Area]>,
) -> Result<Headers, ImageError> {
    let malformed = |what: &dyn std::fmt::Display| ImageError::Malformed {
        path: path.into(),
        what: what.to_string(),
    };
    let header = parse::<E>(data, path)?;
    let arch = match header.e_machine(ENDIAN) {
        // The x32 ABI uses ELF files of the 32-bit class with 64-bit code.
        elf::EM_X86_64 => Arch::X86_64,
        elf::EM_386 => Arch::X86,
        elf::EM_AARCH64 if header.is_class_64() => Arch::AArch64,
        elf::EM_AARCH64 => return Err(ImageError::Class32 { path: path.into() }),
        machine => {
            return Err(ImageError::UnsupportedMachine {
                path: path.into(),
                machine: machine.0,
                name: machine_name(machine),
            });
        }
    };
    let is_executable_type = match header.e_type(ENDIAN) {
        elf::ET_EXEC => true,
        elf::ET_DYN => false,
        other => {
            let found = match other {
                elf::ET_REL => "a relocatable object file that is not a kernel module",
                elf::ET_CORE => "a core dump",
                _ => "an ELF file of unknown type",
            };
            return Err(ImageError::UnsupportedType {
                path: path.into(),
                found,
            });
        }
    };
    check_tables(data, path, header)?;
    let program_headers = header.program_headers(ENDIAN, data).map_err(|e| malformed(&e))?;
    let section_table = header.sections(ENDIAN, data).map_err(|e| malformed(&e))?;

    let segments: Vec<_> = match code {
        Some(code) => code.iter().map(segment_of_area).collect(),
        None => program_headers.iter().filter_map(load_segment).collect(),
    };
    let text = segments.iter().find(|segment| segment.executable);
    let Some(text) = text else {
        return Err(ImageError::NoExecutableSegment { path: path.into() });
    };
    // No process can have code in the upper half of the address space, which belongs to the kernel (Linux:
    // Documentation/arch/x86/x86_64/mm.rst, Documentation/arch/arm64/memory.rst).
    let kind = match (text.svma.0 >> 63, is_executable_type) {
        _ if code.is_some() => ImageKind::Module,
        (1, _) => ImageKind::Kernel,
        (_, true) => ImageKind::Executable,
        (_, false) => ImageKind::SharedObject,
    };
    let sections = read_sections(data, path, &section_table)?;
    if sections.is_empty() {
        for segment in segments.iter().filter(|segment| segment.executable) {
            check_extent(data, path, "executable segment", segment.offset.0, segment.file_size)?;
        }
    }
    let symbols = section_table
        .symbols(ENDIAN, data, elf::SHT_SYMTAB)
        .map_err(|e| malformed(&e))?;
    let content_of = |index: usize| sections.get(index).map_or(0..0, |section| section.data.clone());
    let symbol_strings = content_of(symbols.string_section().0);
    // A file without sections needs no string table of section names.
    let section_strings = header
        .section_strings_index(ENDIAN, data)
        .map_or(0..0, |index| content_of(index.0));
    let build_id = find_build_id(data, &section_table, program_headers);
    Ok(Headers {
        arch,
        kind,
        segments,
        sections,
        section_strings,
        symbol_strings,
        build_id,
    })
}

/// Returns true if `data` is a module of a Linux kernel: a relocatable file with the section that becomes its
/// `struct module`.
pub(crate) fn is_kernel_module(data: &[u8]) -> bool {
    let has_section = || -> object::read::Result<bool> {
        let header = Elf::parse(data)?;
        let names = section_names(data, header, &header.sections(ENDIAN, data)?);
        Ok(names.contains(&&b".gnu.linkonce.this_module"[..]))
    };
    is_relocatable(data) && has_section().unwrap_or(false)
}

/// Returns the symbols of an image in the order of the table. The headers of the image, and with them the table,
/// have been checked.
pub(crate) fn symbols(data: &[u8]) -> impl Iterator<Item = RawSymbol> {
    // The file is of one class, so one of the two iterators is empty.
    let wide = symbols_of::<Elf>(data).into_iter().flatten();
    let narrow = symbols_of::<Elf32>(data).into_iter().flatten();
    wide.chain(narrow)
}

fn symbols_of<E: FileHeader<Endian = LittleEndian>>(data: &[u8]) -> Option<impl Iterator<Item = RawSymbol>> {
    let sections = E::parse(data).ok()?.sections(ENDIAN, data).ok()?;
    let table: SymbolTable<'_, E> = sections.symbols(ENDIAN, data, elf::SHT_SYMTAB).ok()?;
    Some(table.symbols().iter().enumerate().map(move |(index, raw)| {
        let section = table.symbol_section(ENDIAN, raw, SymbolIndex(index)).ok().flatten();
        RawSymbol {
            name: raw.st_name(ENDIAN),
            value: raw.st_value(ENDIAN).into(),
            size: raw.st_size(ENDIAN).into(),
            kind: raw.st_type(),
            section: section.map(|section| section.0),
            is_absolute: raw.st_shndx(ENDIAN) == elf::SHN_ABS,
            is_local: raw.st_bind() == elf::STB_LOCAL,
        }
    }))
}

/// Checks the ELF identification and returns the class.
fn identify(data: &[u8], path: &Path) -> Result<elf::FileClass, ImageError> {
    if !data.starts_with(&elf::ELFMAG) {
        return Err(ImageError::NotElf {
            path: path.into(),
            found: file_type::describe(data),
        });
    }
    // `e_ident` is a string of bytes, so class and byte order can be read before the layout of the header is known
    // (gABI, "ELF Identification").
    let &[_, _, _, _, class, byte_order] = data
        .first_chunk()
        .ok_or_else(|| too_short(data, path, size_of::<Elf32>()))?;
    if byte_order == elf::ELFDATA2MSB.0 {
        return Err(ImageError::BigEndian { path: path.into() });
    }
    Ok(elf::FileClass(class))
}

/// Parses the file header of a file whose class is known.
fn parse<'data, E: FileHeader<Endian = LittleEndian>>(data: &'data [u8], path: &Path) -> Result<&'data E, ImageError> {
    if data.len() < size_of::<E>() {
        return Err(too_short(data, path, size_of::<E>()));
    }
    let malformed = |what: String| ImageError::Malformed {
        path: path.into(),
        what,
    };
    let header = E::parse(data).map_err(|error| malformed(error.to_string()))?;
    if !header.is_little_endian() {
        return Err(malformed("EI_DATA is neither 1 nor 2".into()));
    }
    Ok(header)
}

fn too_short(data: &[u8], path: &Path, needed: usize) -> ImageError {
    ImageError::Truncated {
        path: path.into(),
        what: "ELF header".into(),
        end: needed as u64,
        size: data.len() as u64,
    }
}

/// Returns the name of a machine that users may meet by mistake, or "unknown".
fn machine_name(machine: elf::Machine) -> &'static str {
    match machine {
        elf::EM_ARM => "32-bit Arm",
        elf::EM_RISCV => "RISC-V",
        elf::EM_LOONGARCH => "LoongArch",
        elf::EM_PPC64 => "PowerPC64",
        elf::EM_S390 => "s390",
        elf::EM_MIPS => "MIPS",
        elf::EM_BPF => "BPF",
        _ => "unknown",
    }
}

/// Checks that the tables of program and section headers end inside the file. The errors distinguish a file that
/// was cut off from a file whose headers make no sense.
fn check_tables<E: FileHeader<Endian = LittleEndian>>(data: &[u8], path: &Path, header: &E) -> Result<(), ImageError> {
    let bytes = |count: u16, entry: u16| u64::from(count) * u64::from(entry);
    let segments = bytes(header.e_phnum(ENDIAN), header.e_phentsize(ENDIAN));
    check_extent(
        data,
        path,
        "program header table",
        header.e_phoff(ENDIAN).into(),
        segments,
    )?;
    let sections = bytes(header.e_shnum(ENDIAN), header.e_shentsize(ENDIAN));
    check_extent(
        data,
        path,
        "section header table",
        header.e_shoff(ENDIAN).into(),
        sections,
    )?;
    Ok(())
}

/// Returns the `size` bytes at `offset` as a range of `data`. The error names `what` should lie there.
fn check_extent(data: &[u8], path: &Path, what: &str, offset: u64, size: u64) -> Result<Range<usize>, ImageError> {
    let end = offset.saturating_add(size);
    match (usize::try_from(offset), usize::try_from(end)) {
        (Ok(start), Ok(end)) if end <= data.len() => Ok(start..end),
        _ => Err(ImageError::Truncated {
            path: path.into(),
            what: what.into(),
            end,
            size: data.len() as u64,
        }),
    }
}

fn load_segment<P: object::read::elf::ProgramHeader<Endian = LittleEndian>>(header: &P) -> Option<LoadSegment> {
    (header.p_type(ENDIAN) == elf::PT_LOAD).then(|| LoadSegment {
        svma: Svma(header.p_vaddr(ENDIAN).into()),
        offset: FileOffset(header.p_offset(ENDIAN).into()),
        file_size: header.p_filesz(ENDIAN).into(),
        mem_size: header.p_memsz(ENDIAN).into(),
        alignment: header.p_align(ENDIAN).into(),
        executable: header.p_flags(ENDIAN).contains(elf::PF_X),
    })
}

/// Makes the segment for an area of code of a laid-out file. The sections of an area are in the file, but not in
/// one piece.
fn segment_of_area(area: &Area) -> LoadSegment {
    LoadSegment {
        svma: area.svma,
        offset: FileOffset(0),
        file_size: 0,
        mem_size: area.size,
        alignment: 1,
        executable: true,
    }
}

fn read_sections<E: FileHeader<Endian = LittleEndian>>(
    data: &[u8],
    path: &Path,
    table: &SectionTable<'_, E>,
) -> Result<Vec<SectionHeader>, ImageError> {
    let mut sections = Vec::with_capacity(table.len());
    for section in table.iter() {
        let flags = section.sh_flags(ENDIAN);
        let executable = flags.contains(elf::SHF_EXECINSTR);
        let mut extent = 0..0;
        if let Some((offset, size)) = section.file_range(ENDIAN) {
            match check_extent(data, path, "section content", offset, size) {
                Ok(range) => extent = range,
                // A file whose code is cut off is refused here. Readers of debug information report debug
                // information that is cut off.
                Err(error) if executable => return Err(error),
                Err(_) => {}
            }
        }
        sections.push(SectionHeader {
            name: section.sh_name(ENDIAN),
            svma: Svma(section.sh_addr(ENDIAN).into()),
            size: section.sh_size(ENDIAN).into(),
            data: extent,
            allocated: flags.contains(elf::SHF_ALLOC),
            executable,
            progbits: section.sh_type(ENDIAN) == elf::SHT_PROGBITS,
        });
    }
    Ok(sections)
}

/// Looks for the `NT_GNU_BUILD_ID` note, first in the sections and then in the program headers: a separate debug
/// file keeps its program headers, but the content that they describe has moved. Even if headers share bytes, the
/// search reads no more than twice the size of the file.
fn find_build_id<E: FileHeader<Endian = LittleEndian>>(
    data: &[u8],
    sections: &SectionTable<'_, E>,
    segments: &[E::ProgramHeader],
) -> Option<Range<usize>> {
    let mut budget = 2 * data.len() as u64;
    let symbols_in_sections = sections
        .iter()
        .map(|section| (section.sh_size(ENDIAN).into(), section.notes(ENDIAN, data)));
    let in_segments = segments
        .iter()
        .map(|segment| (segment.p_filesz(ENDIAN).into(), segment.notes(ENDIAN, data)));
    for (size, notes) in symbols_in_sections.chain(in_segments) {
        let Ok(Some(mut notes)) = notes else { continue };
        budget = budget.checked_sub(size)?;
        while let Ok(Some(note)) = notes.next() {
            if note.name() == elf::ELF_NOTE_GNU && note.n_type(ENDIAN) == elf::NT_GNU_BUILD_ID {
                return Some(range_in(data, note.desc()));
            }
        }
    }
    None
}

/// Returns the range of `part` in `data`. `part` is a sub-slice of `data`.
fn range_in(data: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(data.as_ptr() as usize);
    start..start + part.len()
}

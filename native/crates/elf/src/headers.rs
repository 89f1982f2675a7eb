//! Checks an ELF file's headers once and keeps what they say.

use std::ops::Range;
use std::path::Path;

use object::LittleEndian;
use object::elf::{self, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _, SectionTable, SymbolTable};

use crate::format::{ENDIAN, Elf};
use crate::kind::{Arch, ImageKind};
use crate::relocatable::{Area, is_relocatable, section_names};
use crate::{FileOffset, ImageError, Svma, file_type};

/// One `PT_LOAD` program header. A kernel module has none: there, one stands for the code that stays in memory, and another one for
/// code that is freed after initialization. They have no place in the file, so their `file_size` is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadSegment {
    /// `p_vaddr`.
    pub svma: Svma,
    /// `p_offset`.
    pub offset: FileOffset,
    /// `p_filesz`.
    pub file_size: u64,
    /// `p_memsz`.
    pub mem_size: u64,
    /// `p_align`.
    pub alignment: u64,
    /// Whether `p_flags` has `PF_X`.
    pub executable: bool,
}

impl LoadSegment {
    /// The address at which the byte at `offset` of the file is loaded, when this segment holds it.
    #[must_use]
    pub fn svma_of_file_offset(&self, offset: FileOffset) -> Option<Svma> {
        let inside = offset.0.checked_sub(self.offset.0)?;
        (inside < self.file_size).then(|| self.svma.wrapping_add(inside))
    }
}

/// What the headers of an image say, checked against its length.
pub(crate) struct Headers {
    pub(crate) arch: Arch,
    pub(crate) kind: ImageKind,
    pub(crate) segments: Vec<LoadSegment>,
    pub(crate) sections: Vec<SectionHeader>,
    /// Where in the file the string table of the section headers is.
    pub(crate) section_strings: Range<usize>,
    /// Where in the file the string table of `.symtab` is; empty without one.
    pub(crate) symbol_strings: Range<usize>,
    /// Where in the file the build id's bytes are.
    pub(crate) build_id: Option<Range<usize>>,
}

/// A section header whose name and extent were checked.
pub(crate) struct SectionHeader {
    /// Offset of the name in the section names.
    pub(crate) name: u32,
    pub(crate) svma: Svma,
    /// `sh_size`.
    pub(crate) size: u64,
    /// Where in the file the content is; empty for `SHT_NOBITS` and for content cut off by the file's end.
    pub(crate) data: Range<usize>,
    pub(crate) allocated: bool,
    pub(crate) executable: bool,
    pub(crate) progbits: bool,
}

/// Reads and checks the headers of `data`. `code` has the code of a relocatable file that was laid out.
pub(crate) fn read_headers(data: &[u8], path: &Path, code: Option<&[Area]>) -> Result<Headers, ImageError> {
    let header = identify(data, path)?;
    let malformed = |what: &dyn std::fmt::Display| ImageError::Malformed {
        path: path.into(),
        what: what.to_string(),
    };
    let arch = match header.e_machine(ENDIAN) {
        elf::EM_X86_64 => Arch::X86_64,
        elf::EM_AARCH64 => Arch::AArch64,
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
                elf::ET_REL => "a relocatable object file that is no kernel module",
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
    // No process can have its code in the upper half of the address space: there the kernel lives
    // (Linux: Documentation/arch/x86/x86_64/mm.rst, Documentation/arch/arm64/memory.rst).
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
    // Without sections there need be no table of their names.
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

/// Whether `data` is a module of a Linux kernel: a relocatable file with the section that becomes its `struct module`.
pub(crate) fn is_kernel_module(data: &[u8]) -> bool {
    let has_section = || -> object::read::Result<bool> {
        let header = Elf::parse(data)?;
        let names = section_names(data, header, &header.sections(ENDIAN, data)?);
        Ok(names.contains(&&b".gnu.linkonce.this_module"[..]))
    };
    is_relocatable(data) && has_section().unwrap_or(false)
}

/// The symbol table of an image whose headers were read, and with them checked; empty when there is none.
pub(crate) fn symbol_table(data: &[u8]) -> SymbolTable<'_, Elf> {
    Elf::parse(data)
        .and_then(|header| header.sections(ENDIAN, data))
        .and_then(|sections| sections.symbols(ENDIAN, data, elf::SHT_SYMTAB))
        .unwrap_or_default()
}

/// Checks the identification and returns the file header.
fn identify<'data>(data: &'data [u8], path: &Path) -> Result<&'data Elf, ImageError> {
    if !data.starts_with(&elf::ELFMAG) {
        return Err(ImageError::NotElf {
            path: path.into(),
            found: file_type::describe(data),
        });
    }
    let too_short = || ImageError::Truncated {
        path: path.into(),
        what: "ELF header".into(),
        end: size_of::<Elf>() as u64,
        size: data.len() as u64,
    };
    // e_ident is a string of bytes: class and byte order are known before the header's layout is (gABI, "ELF
    // Identification").
    let &[_, _, _, _, class, byte_order] = data.first_chunk().ok_or_else(too_short)?;
    if class == elf::ELFCLASS32.0 {
        return Err(ImageError::Class32 { path: path.into() });
    }
    if byte_order == elf::ELFDATA2MSB.0 {
        return Err(ImageError::BigEndian { path: path.into() });
    }
    if data.len() < size_of::<Elf>() {
        return Err(too_short());
    }
    let header = Elf::parse(data).map_err(|e| ImageError::Malformed {
        path: path.into(),
        what: e.to_string(),
    })?;
    if !header.is_little_endian() {
        return Err(ImageError::Malformed {
            path: path.into(),
            what: "EI_DATA is neither 1 nor 2".into(),
        });
    }
    Ok(header)
}

/// The names of machines one may meet by mistake.
fn machine_name(machine: elf::Machine) -> &'static str {
    match machine {
        elf::EM_386 => "i386",
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

/// Tells a file that was cut off from one whose headers are nonsense: both tables must end inside it.
fn check_tables(data: &[u8], path: &Path, header: &Elf) -> Result<(), ImageError> {
    let bytes = |count: u16, entry: u16| u64::from(count) * u64::from(entry);
    let segments = bytes(header.e_phnum.get(ENDIAN), header.e_phentsize.get(ENDIAN));
    check_extent(data, path, "program header table", header.e_phoff.get(ENDIAN), segments)?;
    let sections = bytes(header.e_shnum.get(ENDIAN), header.e_shentsize.get(ENDIAN));
    check_extent(data, path, "section header table", header.e_shoff.get(ENDIAN), sections)?;
    Ok(())
}

/// The `size` bytes at `offset` as a range of `data`, or an error that names `what` lies there.
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

fn load_segment(header: &ProgramHeader64<LittleEndian>) -> Option<LoadSegment> {
    (header.p_type(ENDIAN) == elf::PT_LOAD).then(|| LoadSegment {
        svma: Svma(header.p_vaddr(ENDIAN)),
        offset: FileOffset(header.p_offset(ENDIAN)),
        file_size: header.p_filesz(ENDIAN),
        mem_size: header.p_memsz(ENDIAN),
        alignment: header.p_align(ENDIAN),
        executable: header.p_flags(ENDIAN).contains(elf::PF_X),
    })
}

/// The sections of an area are in the file, but not in one piece.
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

fn read_sections(data: &[u8], path: &Path, table: &SectionTable<'_, Elf>) -> Result<Vec<SectionHeader>, ImageError> {
    let mut sections = Vec::with_capacity(table.len());
    for section in table.iter() {
        let flags = section.sh_flags(ENDIAN);
        let executable = flags.contains(elf::SHF_EXECINSTR);
        let mut extent = 0..0;
        if let Some((offset, size)) = section.file_range(ENDIAN) {
            match check_extent(data, path, "section content", offset, size) {
                Ok(range) => extent = range,
                // Cut-off debug information is the business of whoever reads it; code is ours.
                Err(error) if executable => return Err(error),
                Err(_) => {}
            }
        }
        sections.push(SectionHeader {
            name: section.sh_name(ENDIAN),
            svma: Svma(section.sh_addr(ENDIAN)),
            size: section.sh_size(ENDIAN),
            data: extent,
            allocated: flags.contains(elf::SHF_ALLOC),
            executable,
            progbits: section.sh_type(ENDIAN) == elf::SHT_PROGBITS,
        });
    }
    Ok(sections)
}

/// Looks for the `NT_GNU_BUILD_ID` note, first among the sections: a separate debug file keeps its
/// program headers, but what they point at has moved. Headers that share bytes can't make this read more than
/// twice the file.
fn find_build_id(
    data: &[u8],
    sections: &SectionTable<'_, Elf>,
    segments: &[ProgramHeader64<LittleEndian>],
) -> Option<Range<usize>> {
    let mut budget = 2 * data.len() as u64;
    let in_sections = sections
        .iter()
        .map(|section| (section.sh_size(ENDIAN), section.notes(ENDIAN, data)));
    let in_segments = segments
        .iter()
        .map(|segment| (segment.p_filesz(ENDIAN), segment.notes(ENDIAN, data)));
    for (size, notes) in in_sections.chain(in_segments) {
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

/// Where `part`, a sub-slice of `data`, lies in it.
fn range_in(data: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(data.as_ptr() as usize);
    start..start + part.len()
}

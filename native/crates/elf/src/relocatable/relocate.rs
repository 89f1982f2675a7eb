//! Applies the relocations of the sections that later stages read (System V psABI for x86-64 and for the Arm 64-bit
//! Architecture, "Relocation").

use object::elf;
use object::read::elf::{ElfFile64, FileHeader as _, SectionHeader as _, SectionTable};
use object::read::{
    CompressionFormat, Object as _, ObjectSection as _, Relocation, RelocationEncoding, RelocationFlags, RelocationKind,
};
use object::{LittleEndian, SectionIndex, read};

use super::copy::{FileCopy, SH_FLAGS, SH_OFFSET, SH_SIZE};
use super::layout::Layout;
use super::problem::LayoutProblem;
use crate::compression::{decompress_section, largest_content};
use crate::format::{ENDIAN, Elf};
use crate::patch_sites::is_patch_table;

/// Debug sections that later stages read and that contain addresses, or offsets into other sections. If several
/// sections have one name, the first one counts.
const DEBUG_SECTIONS: [&[u8]; 7] = [
    b".debug_addr",
    b".debug_aranges",
    b".debug_info",
    b".debug_line",
    b".debug_ranges",
    b".debug_rnglists",
    b".debug_str_offsets",
];

/// Relocates debug sections and tables of patch sites in `copy`. Does not relocate the sections that the kernel
/// executes.
pub(super) fn relocate(
    data: &[u8],
    sections: &SectionTable<'_, Elf>,
    names: &[&[u8]],
    layout: &Layout,
    symbols: &[u64],
    copy: &mut FileCopy,
) -> Result<Vec<LayoutProblem>, String> {
    let file = ElfFile64::<LittleEndian>::parse(data).map_err(|error| error.to_string())?;
    let machine = file.elf_header().e_machine(ENDIAN);
    // Headers may share bytes, but no file has more relocations than fit into its size.
    let mut budget = data.len() / size_of::<elf::Rel64<LittleEndian>>();
    let mut uncompressed_budget = largest_content(data.len());
    let mut problems = Vec::new();
    let stated = stated_relocations(sections);
    let mut unseen = DEBUG_SECTIONS.to_vec();
    for section in file.sections() {
        let index = section.index();
        let name = names.get(index.0).copied().unwrap_or_default();
        let unseen_as = unseen.iter().position(|unseen| *unseen == name);
        if unseen_as.map(|position| unseen.swap_remove(position)).is_none() && !is_patch_table(name) {
            continue;
        }
        let stated = stated.get(index.0).copied().unwrap_or(0);
        if stated == 0 {
            continue;
        }
        let mut failed = FailedRelocations::default();
        match place_section(data, sections, index, copy, &mut uncompressed_budget) {
            Err(reason) => failed.add(stated, || reason),
            Ok(place) => {
                let mut target = Target {
                    machine,
                    place,
                    svma: layout.address(index).0,
                    symbols,
                    copy: &mut *copy,
                };
                let mut found = 0;
                for (offset, relocation) in section.relocations() {
                    found += 1;
                    budget = budget.checked_sub(1).ok_or("relocation sections overlap")?;
                    if let Err(reason) = target.apply(offset, &relocation) {
                        failed.add(1, || reason);
                    }
                }
                failed.add(stated.saturating_sub(found), || "their table cannot be read".to_owned());
            }
        }
        problems.extend(failed.problem(name));
    }
    Ok(problems)
}

/// The relocations of one section that could not be applied.
#[derive(Default)]
struct FailedRelocations {
    count: u64,
    reason: String,
}

impl FailedRelocations {
    fn add(&mut self, count: u64, reason: impl FnOnce() -> String) {
        if self.count == 0 && count > 0 {
            self.reason = reason();
        }
        self.count += count;
    }

    fn problem(self, section: &[u8]) -> Option<LayoutProblem> {
        (self.count > 0).then(|| LayoutProblem::NotRelocated {
            section: String::from_utf8_lossy(section).into_owned(),
            count: self.count,
            reason: self.reason,
        })
    }
}

/// Returns the number of relocations for each section, as the headers of relocation sections state it.
fn stated_relocations(sections: &SectionTable<'_, Elf>) -> Vec<u64> {
    let mut counts = vec![0_u64; sections.len()];
    for section in sections.iter() {
        let entry_size = match section.sh_type(ENDIAN) {
            elf::SHT_RELA => size_of::<elf::Rela64<LittleEndian>>(),
            elf::SHT_REL => size_of::<elf::Rel64<LittleEndian>>(),
            _ => continue,
        };
        if let Some(count) = counts.get_mut(section.info_link(ENDIAN).0) {
            *count = count.saturating_add(section.sh_size(ENDIAN).div_ceil(entry_size as u64));
        }
    }
    counts
}

/// Returns the range of the copy that has the content of a section. The content of a compressed section is
/// decompressed and appended to the copy. All decompressed sections together have no more than `budget` bytes.
fn place_section(
    data: &[u8],
    sections: &SectionTable<'_, Elf>,
    index: SectionIndex,
    copy: &mut FileCopy,
    budget: &mut u64,
) -> Result<std::ops::Range<usize>, String> {
    let describe = |error: read::Error| error.to_string();
    let section = sections.section(index).map_err(describe)?;
    let content = section.data(ENDIAN, data).map_err(describe)?;
    let Some((header, offset, size)) = section.compression(ENDIAN, data).map_err(describe)? else {
        let start = usize::try_from(section.sh_offset(ENDIAN)).map_err(|error| error.to_string())?;
        return Ok(start..start + content.len());
    };
    let format = match header.ch_type.get(ENDIAN) {
        elf::ELFCOMPRESS_ZLIB => CompressionFormat::Zlib,
        elf::ELFCOMPRESS_ZSTD => CompressionFormat::Zstandard,
        _ => CompressionFormat::Unknown,
    };
    let compressed = usize::try_from(offset).ok().zip(usize::try_from(size).ok());
    let compressed = compressed.and_then(|(offset, size)| data.get(offset..)?.get(..size));
    let compressed = compressed.ok_or("its content lies outside the file")?;
    let size = header.ch_size.get(ENDIAN);
    *budget = budget
        .checked_sub(size)
        .ok_or("compressed sections expand beyond reason")?;
    let content = decompress_section(compressed, format, size)?;
    let start = copy.bytes.len();
    copy.bytes.extend_from_slice(&content);
    let flags = section.sh_flags(ENDIAN).0 & !elf::SHF_COMPRESSED.0;
    copy.set_section(index.0, SH_FLAGS, flags);
    copy.set_section(index.0, SH_OFFSET, start as u64);
    copy.set_section(index.0, SH_SIZE, content.len() as u64);
    Ok(start..copy.bytes.len())
}

/// Returns the computation of a relocation, and the number of bits of its result. Data needs no relocations for
/// procedure linkage tables.
fn kind_and_size(relocation: &Relocation, machine: elf::Machine) -> (RelocationKind, u8) {
    let (kind, bits) = (relocation.kind(), relocation.size());
    match kind {
        // `object` has no kind for this type of relocation.
        RelocationKind::Unknown if machine == elf::EM_X86_64 && r_type(relocation) == elf::R_X86_64_PC64.0 => {
            (RelocationKind::Relative, 64)
        }
        RelocationKind::PltRelative if relocation.encoding() == RelocationEncoding::X86Branch => {
            (RelocationKind::Relative, bits)
        }
        // Data has no relocations of parts of instructions.
        _ if bits % 8 != 0 => (RelocationKind::Unknown, 0),
        _ => (kind, bits),
    }
}

fn r_type(relocation: &Relocation) -> u32 {
    match relocation.flags() {
        RelocationFlags::Elf { r_type } => r_type.0,
        _ => 0,
    }
}

/// A section that is being relocated.
struct Target<'a> {
    machine: elf::Machine,
    place: std::ops::Range<usize>,
    svma: u64,
    /// Values of symbols, by symbol index.
    symbols: &'a [u64],
    copy: &'a mut FileCopy,
}

impl Target<'_> {
    fn apply(&mut self, offset: u64, relocation: &Relocation) -> Result<(), String> {
        let (kind, bits) = kind_and_size(relocation, self.machine);
        let from = match kind {
            RelocationKind::None => return Ok(()),
            RelocationKind::Absolute => 0,
            RelocationKind::Relative => self.svma.wrapping_add(offset),
            _ => return Err(format!("unknown relocation type {}", r_type(relocation))),
        };
        let width = usize::from(bits / 8);
        let at = usize::try_from(offset)
            .ok()
            .and_then(|offset| Some((offset, offset.checked_add(width)?)))
            .filter(|&(_, end)| end <= self.place.len())
            .map(|(offset, _)| self.place.start + offset)
            .ok_or_else(|| format!("offset {offset:#x} lies outside the section"))?;
        let symbol = match relocation.target() {
            object::RelocationTarget::Symbol(symbol) => {
                let value = self.symbols.get(symbol.0);
                *value.ok_or_else(|| format!("there is no symbol {}", symbol.0))?
            }
            object::RelocationTarget::Absolute => 0,
            _ => return Err("unknown relocation target".to_owned()),
        };
        let mut value = symbol.wrapping_add_signed(relocation.addend()).wrapping_sub(from);
        let place = &mut self.copy.bytes[at..at + width];
        if relocation.has_implicit_addend() {
            let mut addend = [0; 8];
            addend[..width].copy_from_slice(place);
            value = value.wrapping_add(u64::from_le_bytes(addend));
        }
        place.copy_from_slice(&value.to_le_bytes()[..width]);
        Ok(())
    }
}

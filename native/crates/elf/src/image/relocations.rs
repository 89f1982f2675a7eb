//! Relocations of linked images: the words that the dynamic linker fills in, and the words that point to code
//! (`--emit-relocs`).

use object::elf::{self, R_AARCH64_ABS64, R_X86_64_32, R_X86_64_32S, R_X86_64_64, RelocationType};
use object::endian::LittleEndian;
use object::read::elf::{FileHeader, Rela, SectionHeader, SectionTable, Sym, SymbolTable};

use super::Image;
use crate::Svma;

type Elf = elf::FileHeader64<LittleEndian>;
const ENDIAN: LittleEndian = LittleEndian;

/// A word that the dynamic linker fills in. The stubs of a procedure linkage table read such words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot<'i> {
    /// Address of the word.
    pub svma: Svma,
    /// Name of the symbol whose address the word becomes; empty if the relocation names no symbol.
    pub name: &'i [u8],
    /// Number that is added to the address of the symbol. Without a symbol, an address of this image.
    pub addend: u64,
}

impl Image {
    /// Returns the words that the dynamic linker fills in. Empty for files of the 32-bit class and for damaged
    /// tables.
    pub fn slots(&self) -> Vec<Slot<'_>> {
        slots(self.data()).unwrap_or_default()
    }

    /// Returns the addresses that words of data have as their value (not as a distance), in no order. Empty for
    /// files that were linked without `--emit-relocs`, for files of the 32-bit class and for damaged tables.
    pub fn pointers_in_data(&self) -> Vec<Svma> {
        pointers(self.data()).unwrap_or_default()
    }
}

fn sections(data: &[u8]) -> Option<SectionTable<'_, Elf>> {
    Elf::parse(data).ok()?.sections(ENDIAN, data).ok()
}

/// Returns the largest number of relocations that is read. Headers may share bytes, but no file has more
/// relocations than fit into its size.
fn max_slots(data: &[u8]) -> usize {
    data.len() / size_of::<elf::Rela64<LittleEndian>>()
}

fn slots(data: &[u8]) -> Option<Vec<Slot<'_>>> {
    let sections = sections(data)?;
    let symbols = sections.symbols(ENDIAN, data, elf::SHT_DYNSYM).ok()?;
    let (mut found, max_slots) = (Vec::new(), max_slots(data));
    for section in sections.iter() {
        let Ok(Some((relocations, link))) = section.rela(ENDIAN, data) else {
            continue;
        };
        if found.len() + relocations.len() > max_slots {
            return None;
        }
        // The relocations of a static executable (`.rela.iplt`) refer to no symbols.
        let refers = link == symbols.section();
        if !refers && link.0 != 0 || section.sh_flags(ENDIAN) & elf::SHF_ALLOC == elf::SectionFlags(0) {
            continue;
        }
        found.extend(relocations.iter().map(|relocation| {
            let symbol = relocation.symbol(ENDIAN, false).filter(|_| refers);
            let name = symbol.and_then(|index| {
                let symbol = symbols.symbol(index).ok()?;
                symbols.symbol_name(ENDIAN, symbol).ok()
            });
            Slot {
                svma: Svma(relocation.r_offset(ENDIAN)),
                name: name.unwrap_or_default(),
                addend: relocation.r_addend(ENDIAN) as u64,
            }
        }));
    }
    Some(found)
}

fn pointers(data: &[u8]) -> Option<Vec<Svma>> {
    let sections = sections(data)?;
    let symbols: SymbolTable<'_, Elf> = sections.symbols(ENDIAN, data, elf::SHT_SYMTAB).ok()?;
    let machine = Elf::parse(data).ok()?.e_machine.get(ENDIAN);
    let is_pointer = |kind: RelocationType| match machine {
        elf::EM_X86_64 => matches!(kind, R_X86_64_64 | R_X86_64_32 | R_X86_64_32S),
        elf::EM_AARCH64 => kind == R_AARCH64_ABS64,
        _ => false,
    };
    let (mut found, mut seen, max_slots) = (Vec::new(), 0, max_slots(data));
    for section in sections.iter() {
        let Ok(Some((relocations, link))) = section.rela(ENDIAN, data) else {
            continue;
        };
        seen += relocations.len();
        if seen > max_slots {
            return None;
        }
        let relocated = sections.section(section.info_link(ENDIAN)).ok();
        let is_data = relocated.is_some_and(|relocated| {
            let flags = relocated.sh_flags(ENDIAN);
            flags & elf::SHF_ALLOC != elf::SectionFlags(0) && flags & elf::SHF_EXECINSTR == elf::SectionFlags(0)
        });
        if !is_data || link != symbols.section() {
            continue;
        }
        found.extend(relocations.iter().filter_map(|relocation| {
            if !is_pointer(relocation.r_type(ENDIAN, false)) {
                return None;
            }
            let symbol = symbols.symbol(relocation.symbol(ENDIAN, false)?).ok()?;
            Some(Svma(
                symbol.st_value(ENDIAN).wrapping_add(relocation.r_addend(ENDIAN) as u64),
            ))
        }));
    }
    Some(found)
}

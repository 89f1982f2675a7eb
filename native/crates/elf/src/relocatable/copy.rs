//! The copy of a relocatable file, to which addresses are added.

use object::LittleEndian;
use object::elf::{self, Sym64};
use object::read::SymbolIndex;
use object::read::elf::{SectionHeader as _, SectionTable};

use super::layout::Layout;
use crate::Svma;
use crate::format::{ENDIAN, Elf};

// Positions of fields in bytes (gABI, "ELF Header", "Sections", "Symbol Table").
pub(super) const E_TYPE: usize = 16;
pub(super) const E_PHNUM: usize = 56;
pub(super) const SH_FLAGS: usize = 8;
pub(super) const SH_ADDR: usize = 16;
pub(super) const SH_OFFSET: usize = 24;
pub(super) const SH_SIZE: usize = 32;
pub(super) const ST_VALUE: usize = 8;

/// The copy while it is being made.
pub(super) struct FileCopy {
    pub(super) bytes: Vec<u8>,
    section_headers: usize,
    section_header_size: usize,
}

impl FileCopy {
    /// Copies the headers and the sections, except for the relocations of debug sections, which no later stage reads:
    /// their bytes are zero in the copy. They are half of a module with debug information, and the system provides no
    /// memory for bytes of a large vector that stay zero.
    pub(super) fn of(data: &[u8], header: &Elf, sections: &SectionTable<'_, Elf>) -> Result<Self, String> {
        let number = |number: u64| usize::try_from(number).map_err(|error| error.to_string());
        // `vec!` ends the process if there is no memory, so this is tried first.
        let mut bytes: Vec<u8> = Vec::new();
        bytes.try_reserve_exact(data.len()).map_err(|error| error.to_string())?;
        drop(bytes);
        let mut copy = Self {
            bytes: vec![0; data.len()],
            section_headers: number(header.e_shoff.get(ENDIAN))?,
            section_header_size: usize::from(header.e_shentsize.get(ENDIAN)),
        };
        let headers = copy.section_header_size.saturating_mul(sections.len());
        let mut wanted = vec![(0, size_of::<Elf>()), (copy.section_headers, headers)];
        for section in sections.iter() {
            let is_relocations = matches!(section.sh_type(ENDIAN), elf::SHT_RELA | elf::SHT_REL);
            let relocated = sections
                .section(section.info_link(ENDIAN))
                .ok()
                .filter(|_| is_relocations);
            let is_read = relocated.is_none_or(|relocated| relocated.sh_flags(ENDIAN).contains(elf::SHF_ALLOC));
            if let (true, Some((offset, size))) = (is_read, section.file_range(ENDIAN)) {
                wanted.push((number(offset)?, number(size)?));
            }
        }
        // Sections may share bytes, so each byte is copied once.
        wanted.sort_unstable();
        let mut copied = 0;
        for (start, size) in wanted {
            let (start, end) = (start.max(copied), start.saturating_add(size).min(data.len()));
            if start < end {
                copy.bytes[start..end].copy_from_slice(&data[start..end]);
                copied = end;
            }
        }
        Ok(copy)
    }

    /// Gives the copy the file type of a linked file, without program headers. Only the type and program headers
    /// distinguish a linked file from a relocatable one.
    pub(super) fn mark_as_linked(&mut self) {
        self.write_at(E_TYPE, &elf::ET_EXEC.0.to_le_bytes());
        self.write_at(E_PHNUM, &[0; 2]);
    }

    pub(super) fn set_section(&mut self, index: usize, field: usize, value: u64) {
        let at = self.section_headers + index * self.section_header_size + field;
        self.write_at(at, &value.to_le_bytes());
    }

    /// Adds the address of its section to the value of each symbol. Returns all values by symbol index; the value
    /// of an undefined symbol is zero.
    pub(super) fn move_symbols(
        &mut self,
        data: &[u8],
        sections: &SectionTable<'_, Elf>,
        layout: &Layout,
    ) -> Result<Vec<u64>, String> {
        let table = sections
            .symbols(ENDIAN, data, elf::SHT_SYMTAB)
            .map_err(|error| error.to_string())?;
        let start = sections
            .section(table.section())
            .map_or(0, |section| section.sh_offset(ENDIAN));
        let start = usize::try_from(start).map_err(|error| error.to_string())?;
        let mut values = Vec::with_capacity(table.len());
        for (index, symbol) in table.symbols().iter().enumerate() {
            let section = table.symbol_section(ENDIAN, symbol, SymbolIndex(index)).ok().flatten();
            let base = section.map_or(Svma(0), |section| layout.address(section));
            let value = base.wrapping_add(symbol.st_value.get(ENDIAN)).0;
            self.write_at(
                start + index * size_of::<Sym64<LittleEndian>>() + ST_VALUE,
                &value.to_le_bytes(),
            );
            values.push(value);
        }
        Ok(values)
    }

    /// Writes `value` at the offset `at`. Returns false if the copy has no room for it there.
    pub(super) fn write_at(&mut self, at: usize, value: &[u8]) -> bool {
        let place = at.checked_add(value.len()).and_then(|end| self.bytes.get_mut(at..end));
        let Some(place) = place else { return false };
        place.copy_from_slice(value);
        true
    }
}

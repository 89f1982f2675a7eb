//! Relocatable files, such as kernel modules, made into what the rest of this project reads: a copy with an address for each
//! section and symbol, and with the relocations applied that debug information and tables of patch sites need.

mod layout;
mod relocate;

use std::path::Path;

use object::LittleEndian;
use object::elf::{self, Sym64};
use object::read::elf::{FileHeader, SectionHeader as _, SectionTable};
use object::read::{SectionIndex, SymbolIndex};

use crate::compression::FileCompression;
use crate::headers::{ENDIAN, Elf};
use crate::strings::string_at;
use crate::{ImageError, Svma};
pub(crate) use layout::Area;
use layout::Layout;

/// A relocatable file with addresses.
#[derive(Debug)]
pub struct LaidOut {
    /// An ELF file of the type `ET_EXEC`: the original with `sh_addr` and `st_value` filled in and relocations applied. It has no
    /// program headers.
    pub bytes: Vec<u8>,
    /// What of it may be wrong.
    pub problems: Vec<LayoutProblem>,
    /// Where the code is: first what stays, then, if there is any, what the kernel frees after initialization.
    pub(crate) code: Vec<Area>,
}

/// Something in a relocatable file that keeps its copy from being all that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// Parts of a section count as they are in the file.
    #[error("section {section}: {count} relocations could not be applied: {reason}")]
    NotRelocated {
        /// The section's name.
        section: String,
        /// How many relocations could not be applied.
        count: u64,
        /// Why the first of them could not.
        reason: String,
    },
    /// The kernel enlarges a section before another one by a size that is not in the file.
    #[error("section {section}: where it is in memory is uncertain, as the kernel enlarges {enlarged} before it")]
    UncertainOffset {
        /// The section's name.
        section: String,
        /// The name of the section before it.
        enlarged: &'static str,
    },
}

/// Whether `data` is a relocatable ELF file of the kind that this crate reads: 64 bits, little-endian.
#[must_use]
pub fn is_relocatable(data: &[u8]) -> bool {
    let header = Elf::parse(data);
    header.is_ok_and(|header| header.is_little_endian() && header.e_type(ENDIAN) == elf::ET_REL)
}

/// Gives addresses to the sections and symbols of a relocatable file, with code where Linux has it when it loads a module, from a
/// base of our own. So run-time addresses and addresses in the result differ by one number.
///
/// # Errors
/// [`ImageError::Malformed`] if headers contradict themselves or sections do not fit into an address space.
pub fn lay_out(data: &[u8], path: &Path) -> Result<LaidOut, ImageError> {
    try_lay_out(data).map_err(|what| ImageError::Malformed {
        path: path.into(),
        what,
    })
}

fn try_lay_out(data: &[u8]) -> Result<LaidOut, String> {
    let header = Elf::parse(data).map_err(|error| error.to_string())?;
    let sections = header.sections(ENDIAN, data).map_err(|error| error.to_string())?;
    let names = section_names(data, header, &sections);
    let layout = Layout::new(&sections, &names)?;
    let mut copy = Copy::of(data, header)?;
    copy.mark_as_linked();
    for index in 0..sections.len() {
        copy.set_section(index, SH_ADDR, layout.address(SectionIndex(index)).0);
    }
    let symbols = copy.move_symbols(data, &sections, &layout)?;
    let mut problems = relocate::relocate(data, &sections, &names, &layout, &symbols, &mut copy)?;
    if let Some((section, enlarged)) = &layout.uncertain {
        problems.push(LayoutProblem::UncertainOffset {
            section: section.clone(),
            enlarged,
        });
    }
    Ok(LaidOut {
        bytes: copy.bytes,
        problems,
        code: layout.code(),
    })
}

/// The names of all sections, empty where they cannot be read.
pub(crate) fn section_names<'data>(
    data: &'data [u8],
    header: &Elf,
    sections: &SectionTable<'_, Elf>,
) -> Vec<&'data [u8]> {
    let strings = header.section_strings_index(ENDIAN, data);
    let strings = strings.and_then(|index| sections.section(index)?.data(ENDIAN, data));
    let strings: &'data [u8] = strings.unwrap_or_default();
    let names = sections
        .iter()
        .map(|section| string_at(strings, section.sh_name(ENDIAN)));
    names.collect()
}

/// The content of a file that is compressed as a whole, as modules are installed; `None` if it is not.
///
/// # Errors
/// [`ImageError::Compressed`] if the compressed data is damaged or expands beyond reason.
pub fn decompress_file(data: &[u8], path: &Path) -> Result<Option<Vec<u8>>, ImageError> {
    let content = FileCompression::of(data).map(|compression| compression.decompress(data));
    content.transpose().map_err(|reason| ImageError::Compressed {
        path: path.into(),
        reason,
    })
}

// Positions of fields (gABI, "ELF Header", "Sections", "Symbol Table").
const E_TYPE: usize = 16;
const E_PHNUM: usize = 56;
const SH_FLAGS: usize = 8;
const SH_ADDR: usize = 16;
const SH_OFFSET: usize = 24;
const SH_SIZE: usize = 32;
const ST_VALUE: usize = 8;

/// The copy in the making.
struct Copy {
    bytes: Vec<u8>,
    section_headers: usize,
    section_header_size: usize,
}

impl Copy {
    fn of(data: &[u8], header: &Elf) -> Result<Self, String> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(data.len()).map_err(|error| error.to_string())?;
        bytes.extend_from_slice(data);
        Ok(Self {
            bytes,
            section_headers: usize::try_from(header.e_shoff.get(ENDIAN)).map_err(|error| error.to_string())?,
            section_header_size: usize::from(header.e_shentsize.get(ENDIAN)),
        })
    }

    /// Only the type and program headers tell a relocatable file from a linked one.
    fn mark_as_linked(&mut self) {
        self.put(E_TYPE, &elf::ET_EXEC.0.to_le_bytes());
        self.put(E_PHNUM, &[0; 2]);
    }

    fn set_section(&mut self, index: usize, field: usize, value: u64) {
        let at = self.section_headers + index * self.section_header_size + field;
        self.put(at, &value.to_le_bytes());
    }

    /// Adds to each symbol the address of its section. Returns all values by symbol index; that of an undefined symbol is zero.
    fn move_symbols(
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
            self.put(
                start + index * size_of::<Sym64<LittleEndian>>() + ST_VALUE,
                &value.to_le_bytes(),
            );
            values.push(value);
        }
        Ok(values)
    }

    /// Writes `value` where there is room for it.
    fn put(&mut self, at: usize, value: &[u8]) -> bool {
        let place = at.checked_add(value.len()).and_then(|end| self.bytes.get_mut(at..end));
        let Some(place) = place else { return false };
        place.copy_from_slice(value);
        true
    }
}

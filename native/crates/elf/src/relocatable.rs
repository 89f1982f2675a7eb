//! Lays out relocatable files such as kernel modules for the other readers of this project: makes a copy with an
//! address for each section and symbol, in which the relocations of debug information and of tables of patch sites
//! are applied.

mod copy;
mod layout;
mod problem;
mod relocate;

use std::path::Path;

use object::elf;
use object::read::SectionIndex;
use object::read::elf::{FileHeader, SectionHeader as _, SectionTable};

use crate::ImageError;
use crate::compression::FileCompression;
use crate::format::{ENDIAN, Elf};
use crate::strings::string_at;
use copy::{FileCopy, SH_ADDR};
pub(crate) use layout::Area;
use layout::Layout;
pub use problem::LayoutProblem;

/// A relocatable file whose sections and symbols have been given addresses.
#[derive(Debug)]
pub struct LaidOut {
    /// An ELF file of the type `ET_EXEC`: the original with `sh_addr` and `st_value` filled in and relocations applied. It has no
    /// program headers, and the relocations of debug sections are zero.
    pub bytes: Vec<u8>,
    /// Reasons why the copy may be incomplete or inexact.
    pub problems: Vec<LayoutProblem>,
    /// The areas of code: first the code that stays in memory, then, if there is any, the code that the kernel
    /// frees after initialization.
    pub(crate) code: Vec<Area>,
}

/// Returns true if `data` is a relocatable ELF file of the class that this crate lays out: 64-bit, little-endian.
#[must_use]
pub fn is_relocatable(data: &[u8]) -> bool {
    let header = Elf::parse(data);
    header.is_ok_and(|header| header.is_little_endian() && header.e_type(ENDIAN) == elf::ET_REL)
}

/// Gives addresses to the sections and symbols of a relocatable file. The code is laid out as Linux lays it out
/// when it loads a module, but from a base address of this crate. So a run-time address and its address in the
/// result differ by one number for the whole module.
///
/// # Errors
/// [`ImageError::Malformed`] if headers contradict each other or sections do not fit into an address space.
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
    let mut copy = FileCopy::of(data, header, &sections)?;
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

/// Returns the names of all sections. A name that cannot be read is empty.
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

/// Returns the content of a file that is compressed as a whole, as installed modules can be; `None` if the file is
/// not compressed.
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

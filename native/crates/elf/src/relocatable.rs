//! Relocatable files, such as kernel modules, made into what the rest of this project reads: a copy with an address for each
//! section and symbol, and with the relocations applied that debug information and tables of patch sites need.

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
use copy::{Copy, SH_ADDR};
pub(crate) use layout::Area;
use layout::Layout;
pub use problem::LayoutProblem;

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

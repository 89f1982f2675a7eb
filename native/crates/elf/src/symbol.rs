//! Symbols of the static symbol table, `.symtab`.

use object::LittleEndian;
use object::elf::{STT_SECTION, Sym64};

use crate::Svma;
use crate::format::ENDIAN;

/// A symbol that lies in a section. [`Image::symbol_name`](crate::Image::symbol_name) has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// `st_value`.
    pub svma: Svma,
    /// Index of the section header that `st_shndx` names.
    pub section: u32,
    /// `st_name`.
    pub(crate) name: u32,
    pub(crate) is_section_symbol: bool,
}

impl Symbol {
    pub(crate) fn new(raw: &Sym64<LittleEndian>, section: u32) -> Self {
        Self {
            svma: Svma(raw.st_value.get(ENDIAN)),
            section,
            name: raw.st_name.get(ENDIAN),
            is_section_symbol: raw.st_type() == STT_SECTION,
        }
    }
}

/// A symbol as `.symtab` has it, in a section or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSymbol<'i> {
    /// `st_value`.
    pub svma: Svma,
    /// `st_size`.
    pub size: u64,
    /// Whether its type is `STT_FUNC`.
    pub is_function: bool,
    /// Its name; empty for section symbols.
    pub name: &'i [u8],
}

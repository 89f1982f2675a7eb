//! Symbols of the static symbol table, `.symtab`.

use object::elf::{STT_SECTION, SymbolType};

use crate::Svma;

/// A symbol of a file of either class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawSymbol {
    /// Offset of the name in the symbols' strings.
    pub(crate) name: u32,
    pub(crate) value: u64,
    pub(crate) size: u64,
    pub(crate) kind: SymbolType,
    /// Index of the section that it lies in; none for undefined, absolute, common and file symbols.
    pub(crate) section: Option<usize>,
}

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
    pub(crate) fn new(raw: RawSymbol, section: u32) -> Self {
        Self {
            svma: Svma(raw.value),
            section,
            name: raw.name,
            is_section_symbol: raw.kind == STT_SECTION,
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

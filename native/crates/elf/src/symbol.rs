//! Symbols of the static symbol table, `.symtab`.

use object::elf::{STT_FILE, STT_FUNC, STT_NOTYPE, STT_SECTION, SymbolType};

use crate::Svma;

/// A symbol of a file of the 32-bit or 64-bit class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawSymbol {
    /// Offset of the name in the string table of the symbols.
    pub(crate) name: u32,
    pub(crate) value: u64,
    pub(crate) size: u64,
    pub(crate) kind: SymbolType,
    /// Index of the section that the symbol lies in; `None` for undefined, absolute, common and file symbols.
    pub(crate) section: Option<usize>,
    pub(crate) is_absolute: bool,
    pub(crate) is_local: bool,
}

/// A symbol that lies in a section. [`Image::symbol_name`](crate::Image::symbol_name) returns its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol {
    /// Address, `st_value`.
    pub svma: Svma,
    /// Index of the section header, `st_shndx`.
    pub section: u32,
    /// Offset of the name in the string table of the symbols, `st_name`.
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

/// The type of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// `STT_NOTYPE`, the type of labels in assembly.
    None,
    /// `STT_FUNC`.
    Function,
    /// `STT_SECTION`.
    Section,
    /// `STT_FILE`: the name of the symbol is that of a source file.
    File,
    /// Any other type.
    Other,
}

impl SymbolKind {
    pub(crate) fn of(kind: SymbolType) -> Self {
        match kind {
            STT_NOTYPE => Self::None,
            STT_FUNC => Self::Function,
            STT_SECTION => Self::Section,
            STT_FILE => Self::File,
            _ => Self::Other,
        }
    }
}

/// A symbol as `.symtab` has it. The symbol may or may not lie in a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSymbol<'i> {
    /// Address or other value, `st_value`.
    pub svma: Svma,
    /// Size in bytes, `st_size`.
    pub size: u64,
    /// True if the type is `STT_FUNC`.
    pub is_function: bool,
    /// Type of the symbol.
    pub kind: SymbolKind,
    /// True if the binding is `STB_LOCAL`.
    pub is_local: bool,
    /// Index of the section that the symbol lies in; `None` for undefined, absolute, common and file symbols.
    pub section: Option<u32>,
    /// True if the value is not an address in a section (`SHN_ABS`).
    pub is_absolute: bool,
    /// Name of the symbol; empty for section symbols.
    pub name: &'i [u8],
}

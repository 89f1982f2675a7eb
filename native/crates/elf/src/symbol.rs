//! Symbols of the static symbol table, `.symtab`.

use object::elf::{STT_FILE, STT_FUNC, STT_NOTYPE, STT_SECTION, SymbolType};

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
    pub(crate) is_absolute: bool,
    pub(crate) is_local: bool,
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

/// The type of a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// `STT_NOTYPE`, as labels of assembly have.
    None,
    /// `STT_FUNC`.
    Function,
    /// `STT_SECTION`.
    Section,
    /// `STT_FILE`: the name is that of a source file.
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

/// A symbol as `.symtab` has it, in a section or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSymbol<'i> {
    /// `st_value`.
    pub svma: Svma,
    /// `st_size`.
    pub size: u64,
    /// Whether its type is `STT_FUNC`.
    pub is_function: bool,
    /// Its type.
    pub kind: SymbolKind,
    /// Whether its binding is `STB_LOCAL`.
    pub is_local: bool,
    /// The section that it lies in, by number; none for undefined, absolute, common and file symbols.
    pub section: Option<u32>,
    /// Whether its value is no address of a section (`SHN_ABS`).
    pub is_absolute: bool,
    /// Its name; empty for section symbols.
    pub name: &'i [u8],
}

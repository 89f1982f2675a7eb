//! The facts that the symbol table adds to those of the debug information about functions.

use elf::Svma;

/// Number of a distinct function name, in the order in which DWARF mentions the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// A function of the symbol table, which has the addresses `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionSymbol<'s> {
    /// First address.
    pub start: Svma,
    /// Address after the last one.
    pub end: Svma,
    /// Name of the symbol.
    pub symbol: &'s [u8],
    /// Name of the function that the symbol is a part or a variant of.
    pub function: &'s [u8],
}

/// Source of a function's name and ranges.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameOrigin {
    /// The debug information has the name and ranges.
    #[default]
    DebugInfo,
    /// Some code of the function has no debug information, so a symbol gave the name.
    Symbol,
    /// The debug information has the name, but a symbol has another name for the same code; see
    /// [`FunctionTable::other_names`](crate::FunctionTable::other_names).
    Disputed,
}

/// The difference between a symbol and the function that has the code of the symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolDifference {
    /// The symbol has another name than the function.
    Name,
    /// The symbol starts or ends at another address than the range of the function there.
    Range,
}

/// A symbol that differs from the function that has the code of the symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolConflict {
    /// The kind of the difference.
    pub difference: SymbolDifference,
    /// Name of the symbol.
    pub symbol: Vec<u8>,
    /// First address of the symbol, and the address after its last one.
    pub symbol_range: (Svma, Svma),
    /// The function that has the code of the symbol.
    pub function: FunctionId,
    /// First address of the function's range, and the address after its last one.
    pub known_range: (Svma, Svma),
}

/// The facts that symbols added to a [`FunctionTable`](crate::FunctionTable).
#[derive(Debug, Default)]
pub(crate) struct SymbolFindings {
    /// Number of functions before symbols were added.
    pub(crate) functions_before: usize,
    /// Origins by function. Functions after the end of the list come from the debug information.
    pub(crate) origins: Vec<NameOrigin>,
    /// Other names, ascending by function.
    pub(crate) other_names: Vec<(FunctionId, Vec<u8>)>,
    /// Conflicts, in the order of the symbols.
    pub(crate) conflicts: Vec<SymbolConflict>,
}

impl SymbolFindings {
    pub(crate) fn set_origin(&mut self, function: FunctionId, origin: NameOrigin) {
        let index = function.0 as usize;
        if self.origins.len() <= index {
            self.origins.resize(index + 1, NameOrigin::DebugInfo);
        }
        self.origins[index] = origin;
    }
}

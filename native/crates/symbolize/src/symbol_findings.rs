//! What the symbol table adds to what the debug information says of functions.

use elf::Svma;

/// Number of a distinct function name, counted in the order in which DWARF mentions them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionId(pub u32);

/// A function of the symbol table: `start..end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionSymbol<'s> {
    /// The first address.
    pub start: Svma,
    /// The address behind the last one.
    pub end: Svma,
    /// The symbol.
    pub symbol: &'s [u8],
    /// The function that the symbol is a part or a variant of.
    pub function: &'s [u8],
}

/// Where a function's name and ranges come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NameOrigin {
    /// The debug information.
    #[default]
    DebugInfo,
    /// Code of it has no debug information; a symbol tells of it.
    Symbol,
    /// The debug information, but a symbol has another name for the same code; see [`FunctionTable::other_names`](crate::FunctionTable::other_names).
    Disputed,
}

/// In what a symbol and the function that has its code differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolDifference {
    /// The symbol has another name.
    Name,
    /// The symbol starts and ends elsewhere than the function's range there.
    Range,
}

/// A symbol that differs from the function that has its code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolConflict {
    /// In what they differ.
    pub difference: SymbolDifference,
    /// The symbol.
    pub symbol: Vec<u8>,
    /// Where it starts and ends.
    pub symbol_range: (Svma, Svma),
    /// The function.
    pub function: FunctionId,
    /// Where its range starts and ends.
    pub known_range: (Svma, Svma),
}

/// What symbols added to a [`FunctionTable`](crate::FunctionTable).
#[derive(Debug, Default)]
pub(crate) struct SymbolFindings {
    /// How many functions there were before.
    pub(crate) functions_before: usize,
    /// By function; those behind its end are of the debug information.
    pub(crate) origins: Vec<NameOrigin>,
    /// Ascending by function.
    pub(crate) other_names: Vec<(FunctionId, Vec<u8>)>,
    /// In the order of the symbols.
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

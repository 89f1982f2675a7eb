//! Finds out which starts of functions are entries. A branch to an entry is a call (or a tail call) and
//! counts as a head sample.

use elf::{Code, Image, Svma, Symbol, canonical_name};
use symbolize::{FunctionId, FunctionRange, FunctionTable, NameOrigin};

/// The symbols of the code, by address.
pub struct EntryPoints<'a> {
    functions: &'a FunctionTable,
    image: &'a Image,
    /// Symbols, ascending by address.
    symbols: Vec<&'a Symbol>,
}

impl<'a> EntryPoints<'a> {
    /// Sorts the code's symbols by address.
    #[must_use]
    pub fn new(image: &'a Image, functions: &'a FunctionTable) -> Self {
        let mut symbols: Vec<_> = image.code_symbols().collect();
        symbols.sort_unstable_by_key(|symbol| symbol.svma);
        Self {
            functions,
            image,
            symbols,
        }
    }

    /// Returns the function that `target` is the entry of; `None` if it is no entry.
    ///
    /// A part of a split function (`foo.cold`) starts a range of `foo`, too, but its symbol has another name,
    /// so a jump to it is no call. If a function has a single range, or if its name is in doubt, any symbol
    /// inside the range will do.
    #[must_use]
    pub fn entry_at(&self, target: Svma) -> Option<FunctionRange> {
        let range = self.functions.entry_at(target)?;
        let first = self.symbols.partition_point(|symbol| symbol.svma < range.start);
        self.is_entry(range, first).then_some(range)
    }

    /// Returns the function that a branch to `to` calls; `None` if the branch is no call.
    ///
    /// With `-fsanitize=cfi-icall` an indirect call goes to an entry of a jump table: a symbol without a
    /// function, whose only instruction is a direct jump to a function. The branch to this entry is the call
    /// then.
    #[must_use]
    pub fn called(&self, code: &Code<'_>, to: Svma) -> Option<FunctionRange> {
        self.entry_at(to)
            .or_else(|| self.entry_at(self.behind_jump_table(code, to)?))
    }

    /// Returns the target of the jump-table entry at `svma`; `None` if there is no such entry.
    ///
    /// LLVM's LowerTypeTests names the entry of `f` either `f`, and the function `f.cfi`, or it names the
    /// entry `f.cfi_jt`. These names tell an entry from other code that only jumps, such as Rust's
    /// `__rust_alloc`, which its callers know by its name.
    fn behind_jump_table(&self, code: &Code<'_>, svma: Svma) -> Option<Svma> {
        // A jump table lies in no function, but most branches go to places in functions.
        if self.functions.find(svma).is_some() {
            return None;
        }
        let target = code.jump_at(svma)?;
        let is_entry = self.names_at(svma).any(|name| name.ends_with(b".cfi_jt"))
            || self.names_at(svma).next().is_some() && self.names_at(target).any(|name| name.ends_with(b".cfi"));
        is_entry.then_some(target)
    }

    fn names_at(&self, svma: Svma) -> impl Iterator<Item = &'a [u8]> {
        let first = self.symbols.partition_point(|symbol| symbol.svma < svma);
        self.symbols[first..]
            .iter()
            .take_while(move |symbol| symbol.svma == svma)
            .map(|symbol| self.image.symbol_name(symbol))
    }

    /// Returns the functions that have code but no entry, because their DWARF name is not the name of their
    /// symbol.
    #[must_use]
    pub fn functions_without_entry(&self) -> Vec<FunctionId> {
        // Ranges and symbols both ascend, so most functions need no search.
        let mut has_entry = vec![false; self.functions.len()];
        let mut first = 0;
        for range in self.functions.start_ranges() {
            while self.symbols.get(first).is_some_and(|symbol| symbol.svma < range.start) {
                first += 1;
            }
            has_entry[range.function.0 as usize] |= self.is_entry(range, first);
        }
        let without = |function: &FunctionId| {
            let ranges = self.functions.ranges_of(*function);
            // Another function may have its entry at the start of this one.
            !ranges.is_empty()
                && !has_entry[function.0 as usize]
                && ranges.iter().all(|range| self.entry_at(range.0).is_none())
        };
        self.functions.functions().filter(without).collect()
    }

    /// Returns true if `range` starts at an entry. `first` is the number of the first symbol in the range or
    /// after it.
    fn is_entry(&self, range: FunctionRange, first: usize) -> bool {
        let any_symbol = self.functions.ranges_of(range.function).len() == 1
            || self.functions.origin(range.function) != NameOrigin::DebugInfo;
        self.symbols[first..]
            .iter()
            .take_while(|symbol| symbol.svma < range.end)
            // A nested shorter function owns the symbols inside it, and the symbols after it belong to no
            // function.
            .filter(|symbol| {
                symbol.svma == range.start
                    || self
                        .functions
                        .find(symbol.svma)
                        .is_some_and(|owner| owner.start == range.start)
            })
            .any(|symbol| {
                any_symbol || canonical_name(self.image.symbol_name(symbol)) == self.functions.name(range.function)
            })
    }
}

//! Which function starts are entries: a branch to them is a call (or a tail call) and counts as a head sample.

use elf::{Code, Image, Svma, Symbol, canonical_name};
use symbolize::{FunctionId, FunctionRange, FunctionTable, NameOrigin};

/// The symbols of the code, by address.
pub struct EntryPoints<'a> {
    functions: &'a FunctionTable,
    image: &'a Image,
    /// Ascending by address.
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

    /// The function that `target` is the entry of.
    ///
    /// A part of a split function (`foo.cold`) starts a range of `foo` too, but its symbol has another name, so a jump to it is none.
    /// Where a function has a single range, any symbol inside it will do, and where its name is in doubt.
    #[must_use]
    pub fn entry_at(&self, target: Svma) -> Option<FunctionRange> {
        let range = self.functions.entry_at(target)?;
        let first = self.symbols.partition_point(|symbol| symbol.svma < range.start);
        self.is_entry(range, first).then_some(range)
    }

    /// The function that a branch calls, if it does.
    ///
    /// With `-fsanitize=cfi-icall` an indirect call goes to an entry of a jump table: a symbol without a function, where there is nothing but
    /// a direct jump to one. The branch to the entry is the call, then.
    #[must_use]
    pub fn called(&self, code: &Code<'_>, to: Svma) -> Option<FunctionRange> {
        self.entry_at(to)
            .or_else(|| self.entry_at(self.behind_jump_table(code, to)?))
    }

    /// Where the entry of a jump table at `svma` jumps.
    ///
    /// LLVM's LowerTypeTests names the entry of `f` either `f`, and the function `f.cfi`, or `f.cfi_jt`. By that an entry differs from other
    /// code that only jumps, such as Rust's `__rust_alloc`: what calls that knows it by its name.
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

    /// The functions that have code but no entry: their DWARF name is not their symbol's.
    #[must_use]
    pub fn functions_without_entry(&self) -> Vec<FunctionId> {
        // Ranges and symbols both ascend, so most functions take no search.
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
            // Where it starts, another function may have the entry.
            !ranges.is_empty()
                && !has_entry[function.0 as usize]
                && ranges.iter().all(|range| self.entry_at(range.0).is_none())
        };
        self.functions.functions().filter(without).collect()
    }

    /// `first` is the number of the first symbol in the range or behind it.
    fn is_entry(&self, range: FunctionRange, first: usize) -> bool {
        let any_symbol = self.functions.ranges_of(range.function).len() == 1
            || self.functions.origin(range.function) != NameOrigin::DebugInfo;
        self.symbols[first..]
            .iter()
            .take_while(|symbol| symbol.svma < range.end)
            // A nested shorter function owns the symbols inside it, and those behind it belong to nobody.
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

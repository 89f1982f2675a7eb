//! Adds functions that only the symbol table has, or that it has under another name.

use std::collections::BTreeMap;

use elf::Svma;

use crate::function_table::FunctionTable;
use crate::names::NameInterner;
use crate::symbol_findings::{
    FunctionId, FunctionSymbol, NameOrigin, SymbolConflict, SymbolDifference, SymbolFindings,
};

impl FunctionTable {
    /// Adds functions of the symbol table, in the given order, where the debug information has no function. Where
    /// it has one, the name and range of that function stay.
    ///
    /// LLVM does so for programs with pseudo probes, which can be profiled without debug information (LLVM:
    /// llvm-profgen's `loadSymbolsFromSymtab`).
    pub fn add_symbols<'s>(&mut self, symbols: impl IntoIterator<Item = FunctionSymbol<'s>>) {
        let old_names = std::mem::take(&mut self.names);
        let mut names = NameInterner::default();
        for id in 0..old_names.len() {
            // The ids stay the same because the names are distinct.
            names.intern(old_names.get(u32::try_from(id).expect("ids are 32 bits wide")));
        }
        let mut findings = SymbolFindings {
            functions_before: old_names.len(),
            ..SymbolFindings::default()
        };
        // The added ranges, by start address and in the given order.
        let mut added: BTreeMap<Svma, (Svma, FunctionId)> = BTreeMap::new();
        let mut in_order: Vec<(FunctionId, Svma, Svma)> = Vec::new();
        for symbol in symbols {
            let in_table = self.starts[..self.starts.partition_point(|entry| entry.0 <= symbol.start)].last();
            let in_added = added.range(..=symbol.start).next_back();
            let in_added = in_added.map(|(&start, &(end, function))| (start, end, function));
            let owner = in_table
                .copied()
                .into_iter()
                .chain(in_added)
                .max_by_key(|range| range.0);
            let Some((start, end, function)) = owner.filter(|owner| symbol.start < owner.1) else {
                let function = FunctionId(names.intern(symbol.function));
                findings.set_origin(function, NameOrigin::Symbol);
                added.insert(symbol.start, (symbol.end, function));
                in_order.push((function, symbol.start, symbol.end));
                continue;
            };
            let difference = if names.get(function.0) != symbol.function {
                findings.set_origin(function, NameOrigin::Disputed);
                findings.other_names.push((function, symbol.function.to_vec()));
                SymbolDifference::Name
            } else if symbol.start != start && symbol.end != end {
                SymbolDifference::Range
            } else {
                continue;
            };
            findings.conflicts.push(SymbolConflict {
                difference,
                symbol: symbol.symbol.to_vec(),
                symbol_range: (symbol.start, symbol.end),
                function,
                known_range: (start, end),
            });
        }
        findings.other_names.sort_unstable();
        findings.other_names.dedup();
        self.names = names.finish();
        self.from_symbols = findings;
        self.add_ranges(&in_order);
    }

    /// Adds ranges whose start addresses no other range has.
    fn add_ranges(&mut self, added: &[(FunctionId, Svma, Svma)]) {
        let mut all: Vec<(FunctionId, Svma, Svma)> = Vec::with_capacity(self.ranges.len() + added.len());
        for index in 0..self.range_ends.len() {
            let function = FunctionId(u32::try_from(index).expect("ids are 32 bits wide"));
            let ranges = self.ranges_of(function).iter();
            all.extend(ranges.map(|&(start, end)| (function, start, end)));
        }
        all.extend(added);
        self.starts
            .extend(added.iter().map(|&(function, start, end)| (start, end, function)));
        self.starts.sort_unstable_by_key(|entry| entry.0);
        self.set_ranges(all);
    }

    /// Returns true if the debug information has a function.
    #[must_use]
    pub fn has_debug_info(&self) -> bool {
        let from_symbols = &self.from_symbols;
        if from_symbols.origins.is_empty() {
            !self.is_empty()
        } else {
            from_symbols.functions_before > 0
        }
    }

    /// Returns the source of the function's name and ranges.
    #[must_use]
    pub fn origin(&self, function: FunctionId) -> NameOrigin {
        let origins = &self.from_symbols.origins;
        origins.get(function.0 as usize).copied().unwrap_or_default()
    }

    /// Returns the names that symbols have for the code of the function, without the name of the function.
    pub fn other_names(&self, function: FunctionId) -> impl Iterator<Item = &[u8]> {
        let all = &self.from_symbols.other_names;
        let first = all.partition_point(|(id, _)| *id < function);
        let own = all[first..].iter().take_while(move |(id, _)| *id == function);
        own.map(|(_, name)| &name[..])
    }

    /// Returns the symbols that differ from the functions that have their code, in the order of the symbols.
    #[must_use]
    pub fn symbol_conflicts(&self) -> &[SymbolConflict] {
        &self.from_symbols.conflicts
    }
}

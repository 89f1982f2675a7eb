//! A table of the functions of a program: names, address ranges, and the start address of each range.

use elf::Svma;
use rayon::prelude::*;

use crate::debug_info::DebugInfo;
use crate::error::SymbolizeError;
use crate::names::{NameInterner, Names};
use crate::symbol_findings::{FunctionId, SymbolFindings};
use dwarf::{Budget, Fault, Interest, Resolver, Skip, Space, Unit, UnitFault, UnitIndex, walk};

/// One address range of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionRange {
    /// First address.
    pub start: Svma,
    /// Address after the last one.
    pub end: Svma,
    /// The function that has the range.
    pub function: FunctionId,
    /// Position of the range in the table of start addresses.
    pub index: usize,
}

/// A start address that several DIEs claim. The first DIE keeps the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateStart {
    /// The start address.
    pub start: Svma,
    /// The function that keeps the address.
    pub first: FunctionId,
    /// The function that claims the address as well. It may be the same function.
    pub second: FunctionId,
}

/// All `DW_TAG_subprogram` DIEs with a name and code, and the functions that
/// [`add_symbols`](FunctionTable::add_symbols) adds. Functions of one name are one function, with the ranges of
/// all.
#[derive(Debug, Default)]
pub struct FunctionTable {
    pub(crate) names: Names,
    /// Ranges of all functions, function by function.
    pub(crate) ranges: Vec<(Svma, Svma)>,
    /// For each function, the position in `ranges` after its last range.
    pub(crate) range_ends: Vec<usize>,
    pub(crate) starts: Vec<(Svma, Svma, FunctionId)>,
    duplicates: Vec<DuplicateStart>,
    faults: Vec<UnitFault>,
    pub(crate) from_symbols: SymbolFindings,
}

/// The functions of one unit.
#[derive(Default)]
struct UnitFunctions<'a> {
    /// Name of each function, and the position after its last range.
    functions: Vec<(&'a [u8], usize)>,
    ranges: Vec<(u64, u64)>,
    fault: Option<Fault>,
}

impl FunctionTable {
    /// Reads the functions of all units, split units last. Leaves out ranges that are empty or begin below
    /// `preferred_base` (code that the linker discarded). The functions stay in the table without these ranges.
    ///
    /// `keep_going` is called once for each unit.
    ///
    /// # Errors
    /// [`SymbolizeError::Cancelled`] if `keep_going` returns false.
    pub fn build(
        debug: &DebugInfo,
        preferred_base: Svma,
        keep_going: &(dyn Fn() -> bool + Sync),
    ) -> Result<Self, SymbolizeError> {
        let view = debug.functions();
        let main = view.main.units.iter().enumerate();
        let main = main.map(|(index, unit)| (UnitIndex(index), &view.main, unit));
        let split = view.split.iter();
        let split = split.flat_map(|(skeleton, space)| space.units.iter().map(move |unit| (*skeleton, space, unit)));
        let units: Vec<(UnitIndex, &Space<'_>, &Unit)> =
            main.chain(split).filter(|(_, _, unit)| !unit.is_type).collect();
        let found: Vec<UnitFunctions<'_>> = units
            .par_iter()
            .map_init(Resolver::default, |resolver, (_, space, unit)| {
                if !keep_going() {
                    return Err(SymbolizeError::Cancelled);
                }
                let found = read_unit(resolver, space, unit, preferred_base.0);
                view.sections.note_unit_read(unit.end.0 - unit.offset.0);
                Ok(found)
            })
            .collect::<Result<_, _>>()?;
        let mut table = Self::merge(&found);
        let read = units.iter().zip(&found);
        table.faults = read
            .filter_map(|(&(unit, _, _), functions)| {
                Some(UnitFault {
                    unit,
                    fault: functions.fault?,
                })
            })
            .collect();
        Ok(table)
    }

    /// Returns the units that have a fault. The fault does no harm if the unit has no samples.
    #[must_use]
    pub fn faults(&self) -> &[UnitFault] {
        &self.faults
    }

    fn merge(units: &[UnitFunctions<'_>]) -> Self {
        let sum = |count: fn(&UnitFunctions<'_>) -> usize| units.iter().map(count).sum();
        let mut names = NameInterner::with_capacity(sum(|unit| unit.functions.len()));
        let mut all: Vec<(FunctionId, Svma, Svma)> = Vec::with_capacity(sum(|unit| unit.ranges.len()));
        for unit in units {
            let mut first = 0;
            for &(name, end) in &unit.functions {
                let id = FunctionId(names.intern(name));
                let ranges = unit.ranges[first..end].iter();
                all.extend(ranges.map(|&(start, end)| (id, Svma(start), Svma(end))));
                first = end;
            }
        }
        let names = names.finish();

        // Stable sorts keep the order of DWARF among equals.
        let mut by_start = all.clone();
        by_start.sort_by_key(|(_, start, _)| *start);
        let mut starts: Vec<(Svma, Svma, FunctionId)> = Vec::with_capacity(by_start.len());
        // Start addresses that several DIEs claim, each with the first function.
        let mut contested: Vec<(Svma, FunctionId)> = Vec::new();
        for (id, start, end) in by_start {
            match starts.last() {
                Some(&(last, _, first)) if last == start => contested.push((start, first)),
                _ => starts.push((start, end, id)),
            }
        }
        contested.dedup();
        let mut taken = vec![false; contested.len()];
        let mut duplicates = Vec::new();
        for &(second, start, _) in &all {
            if let Ok(index) = contested.binary_search_by_key(&start, |(start, _)| *start)
                && std::mem::replace(&mut taken[index], true)
            {
                let first = contested[index].1;
                duplicates.push(DuplicateStart { start, first, second });
            }
        }
        let mut table = Self {
            names,
            starts,
            duplicates,
            ..Self::default()
        };
        table.set_ranges(all);
        table
    }

    /// Sets the ranges of all functions. The ranges of one function stay in the given order.
    pub(crate) fn set_ranges(&mut self, mut all: Vec<(FunctionId, Svma, Svma)>) {
        all.sort_by_key(|(id, _, _)| *id);
        let mut range_ends = vec![0; self.names.len()];
        for (id, _, _) in &all {
            range_ends[id.0 as usize] += 1;
        }
        let mut end = 0;
        for count in &mut range_ends {
            end += *count;
            *count = end;
        }
        self.ranges = all.iter().map(|&(_, start, end)| (start, end)).collect();
        self.range_ends = range_ends;
    }

    fn start_range(&self, index: usize) -> FunctionRange {
        let (start, end, function) = self.starts[index];
        FunctionRange {
            start,
            end,
            function,
            index,
        }
    }

    /// Returns the range with the greatest start at or below the address, if this range contains the address. A
    /// short range inside of another one hides the outer range.
    #[must_use]
    pub fn find(&self, svma: Svma) -> Option<FunctionRange> {
        let after = self.starts.partition_point(|entry| entry.0 <= svma);
        let range = self.start_range(after.checked_sub(1)?);
        (svma < range.end).then_some(range)
    }

    /// Returns the range that starts exactly at the address.
    #[must_use]
    pub fn entry_at(&self, svma: Svma) -> Option<FunctionRange> {
        let index = self.starts.binary_search_by_key(&svma, |entry| entry.0);
        index.ok().map(|index| self.start_range(index))
    }

    /// Returns all ranges, half-open, of all DIEs with the name of the function, in the order of the DIEs.
    #[must_use]
    pub fn ranges_of(&self, function: FunctionId) -> &[(Svma, Svma)] {
        let index = function.0 as usize;
        let first = if index == 0 { 0 } else { self.range_ends[index - 1] };
        &self.ranges[first..self.range_ends[index]]
    }

    /// Returns the linkage name of the function, or the plain name if there is no linkage name.
    #[must_use]
    pub fn name(&self, function: FunctionId) -> &[u8] {
        self.names.get(function.0)
    }

    /// Returns all functions in the order in which DWARF mentions them, including functions without ranges.
    pub fn functions(&self) -> impl ExactSizeIterator<Item = FunctionId> + use<> {
        let count = u32::try_from(self.names.len()).expect("ids are 32 bits wide");
        (0..count).map(FunctionId)
    }

    /// Returns the number of distinct names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Returns true if there is no function.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.len() == 0
    }

    /// Returns the table of start addresses, ascending.
    pub fn start_ranges(&self) -> impl ExactSizeIterator<Item = FunctionRange> {
        (0..self.starts.len()).map(|index| self.start_range(index))
    }

    /// Returns the claims to start addresses that an earlier DIE has, in the order of the DIEs.
    #[must_use]
    pub fn duplicated_starts(&self) -> &[DuplicateStart] {
        &self.duplicates
    }

    /// Returns the number of start addresses that were claimed more than once.
    #[must_use]
    pub fn duplicated_start_count(&self) -> usize {
        let mut starts: Vec<Svma> = self.duplicates.iter().map(|d| d.start).collect();
        starts.sort_unstable();
        starts.dedup();
        starts.len()
    }
}

fn read_unit<'s, 'a>(
    resolver: &mut Resolver<'s, 'a>,
    space: &'s Space<'a>,
    unit: &'s Unit,
    preferred_base: u64,
) -> UnitFunctions<'a> {
    let reader = resolver.open(space, unit);
    let mut found = UnitFunctions::default();
    let mut ranges = Vec::new();
    let mut budget = Budget::for_dies(reader.bytes);
    reader.note(unit.fault.map_or(Ok(()), Err));
    let walked = walk(
        reader.bytes,
        unit.root,
        unit.encoding,
        &reader.table,
        Skip::of(unit),
        |interest| interest == Interest::SubprogramWithCode,
        |die| {
            let subprogram = reader.subroutine(die.offset);
            reader.ranges(&subprogram, &mut budget, &mut ranges);
            if ranges.is_empty() {
                return;
            }
            let description = resolver.describe(&reader, die.offset, &subprogram);
            let Some(name) = description.name else {
                return;
            };
            let live = ranges.iter().copied();
            let live = live.filter(|(start, end)| start < end && *start >= preferred_base);
            found.ranges.extend(live);
            found.functions.push((name, found.ranges.len()));
        },
    );
    reader.note(walked);
    found.fault = reader.faults.take();
    found
}

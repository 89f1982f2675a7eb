//! Counts the samples that damaged debug information concerns.

use std::collections::BTreeMap;

use dwarf::{AbbreviationTable, Fault, UnitFault, UnitIndex, attributes};
use elf::Svma;
use gimli::constants as dw;

use crate::debug_info::{DebugInfo, View};
use crate::function_table::FunctionTable;

/// A unit that has samples and cannot be read in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedUnit {
    /// Name of the unit, `DW_AT_name`, or the position of the unit if the name cannot be read.
    pub name: String,
    /// The first fault that was found in the unit.
    pub fault: Fault,
    /// Number of samples at the addresses of the unit.
    pub samples: u64,
}

/// The samples that damaged debug information concerns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Damage {
    /// Units with samples that cannot be read in full, the one with most samples first.
    pub units: Vec<DamagedUnit>,
    /// Number of samples at addresses that belong to no unit, with the fault that hides the addresses of some unit.
    /// `None` if the addresses of all units are known.
    pub without_unit: Option<(Fault, u64)>,
    /// Number of all samples.
    pub samples: u64,
}

impl Damage {
    /// Returns the number of samples that damaged debug information concerns.
    #[must_use]
    pub fn concerned(&self) -> u64 {
        let without_unit = self.without_unit.map_or(0, |(_, samples)| samples);
        let units = self.units.iter().map(|unit| unit.samples);
        units.fold(without_unit, u64::saturating_add)
    }
}

impl DebugInfo {
    /// Returns the samples that lie in debug information that cannot be read. Considers only the debug information
    /// that was read for `functions` and for frames. `of_frames` has the faults of the units that were read for frames.
    #[must_use]
    pub fn damage(
        &self,
        functions: &FunctionTable,
        of_frames: &[UnitFault],
        samples: &mut dyn Iterator<Item = (Svma, u64)>,
    ) -> Damage {
        let mut found = Damage::default();
        let view = self.frames();
        let of_functions = functions.faults().iter();
        // If a unit has two faults, the fault of its lines says more.
        let mut faults: BTreeMap<UnitIndex, Fault> = BTreeMap::new();
        if self.functions_are_in_the_same_file() {
            faults.extend(of_functions.map(|found| (found.unit, found.fault)));
        }
        faults.extend(of_frames.iter().map(|found| (found.unit, found.fault)));
        let unknown = self.fault_of_addresses();
        if faults.is_empty() && unknown.is_none() {
            return found;
        }
        let mut of_unit: BTreeMap<UnitIndex, u64> = BTreeMap::new();
        let mut without_unit: u64 = 0;
        for (svma, count) in samples {
            found.samples = found.samples.saturating_add(count);
            match self.unit_at(svma) {
                None => without_unit = without_unit.saturating_add(count),
                Some(unit) if faults.contains_key(&unit) => {
                    let sum = of_unit.entry(unit).or_default();
                    *sum = sum.saturating_add(count);
                }
                Some(_) => {}
            }
        }
        let damaged = of_unit.into_iter().filter(|(_, samples)| *samples > 0);
        found.units = damaged
            .map(|(unit, samples)| DamagedUnit {
                name: unit_name(&view, unit),
                fault: faults[&unit],
                samples,
            })
            .collect();
        found.units.sort_by_key(|unit| std::cmp::Reverse(unit.samples));
        found.without_unit = unknown
            .map(|fault| (fault, without_unit))
            .filter(|(_, samples)| *samples > 0);
        found
    }

    /// Returns a fault that keeps functions from being known, wherever it is.
    #[must_use]
    pub fn first_fault(&self, functions: &FunctionTable) -> Option<Fault> {
        let of_functions = functions.faults().first().map(|UnitFault { fault, .. }| *fault);
        self.fault_of_addresses().or(of_functions)
    }
}

/// Returns the name of a unit. If the unit is a skeleton, this is the name of its split unit.
fn unit_name(view: &View<'_>, index: UnitIndex) -> String {
    let split = view.split.binary_search_by_key(&index, |(skeleton, _)| *skeleton);
    let split = split.ok().map(|found| &view.split[found].1);
    let in_split = split.and_then(|space| Some((space, space.units.first()?)));
    let (space, unit) = in_split.unwrap_or((&view.main, view.main.unit(index)));
    let mut table = AbbreviationTable::default();
    space.load_abbreviations(unit, None, &mut table);
    let mut name = None;
    // A unit that cannot be read to its end may still have a name, so the error is ignored.
    let _ = attributes(space.bytes(unit), unit.root, &table, unit.encoding, |at, value| {
        if at == dw::DW_AT_name && name.is_none() {
            name = Some(value);
        }
    });
    let name = name.and_then(|value| space.string(unit, value).ok().flatten());
    // A skeleton has no name of its own, only the name of the file with its split unit.
    let of_other_half = unit.split.as_ref().map(|split| &split.name[..]);
    match name.or(of_other_half) {
        Some(name) if !name.is_empty() => String::from_utf8_lossy(name).into_owned(),
        _ => format!("at offset {:#x}", unit.offset.0),
    }
}

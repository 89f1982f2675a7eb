//! Finds out from debug information how a program was compiled, without reading its functions.
//!
//! Three small places state it: the DIE of each unit (compiler, language), its abbreviations (the attributes that
//! its functions can have), and its line program up to the first discriminator. Only if units share abbreviations,
//! the DIEs of a unit are read, up to the last kind that the unit can have.

mod kinds;
mod lines;
mod producer;

use std::collections::{BTreeMap, HashMap};

use elf::Svma;
use gimli::{Abbreviations, DebugAbbrevOffset, constants as dw};
use object::CompressionFormat;

use crate::debug_info::{DebugInfo, View};
use dwarf::{AbbreviationTable, Reader, Space, Unit, UnitIndex, Value, attributes, section};
use kinds::{Kinds, used_kinds};
use lines::{LinePrograms, Lines};
use producer::{contains_word, language_name, split_producer};

/// Largest number of bytes of abbreviations that are read. Each table is read once, but tables may overlap.
const MAX_ABBREVIATION_BYTES: usize = 256 << 20;
/// Largest number of bytes of shared tables that are read a second time.
const MAX_SHARED_BYTES: usize = 64 << 20;
/// Largest number of compilers that are distinguished. A program is built by a few compilers.
const MAX_COMPILERS: usize = 64;
/// The facts in debug information about how a program was compiled. In a survey of samples, the numbers count
/// samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebugSurvey {
    /// The compilers of the program, the one with most units first.
    pub compilers: Vec<Compiler>,
    /// Skeleton units, whose debug information is in `.dwo` files or a package.
    pub split: SplitUnitCount,
    /// Compression of debug sections, `zlib` or `zstd`; `None` if they are not compressed.
    pub compression: Option<&'static str>,
}

/// Numbers of skeleton units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitUnitCount {
    /// Number of skeleton units.
    pub skeletons: u64,
    /// Number of skeleton units whose split unit was found.
    pub found: u64,
}

/// The units of one compiler, language and version of DWARF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The beginning of `DW_AT_producer`, without a recorded command line; empty if it is not stated.
    pub name: String,
    /// Name of `DW_AT_language` in DWARF, without `DW_LANG_`; empty if it is not stated.
    pub language: String,
    /// Version of DWARF.
    pub dwarf_version: u16,
    /// Numbers of its units by what they have.
    pub counts: UnitCounts,
}

/// Numbers of units by what they have, or numbers of samples that lie in such units. Only functions that the unit
/// defines count; declarations and artificial functions do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnitCounts {
    /// Number of all units.
    pub units: u64,
    /// Number of units with a line table that has rows.
    pub with_lines: u64,
    /// Number of units with a discriminator in the line table.
    pub with_discriminators: u64,
    /// Number of units with a discriminator at the call of an inlined function.
    pub with_call_discriminators: u64,
    /// Number of units with functions.
    pub with_functions: u64,
    /// Number of units whose functions have the line of their declaration. Line offsets in a profile count from
    /// this line.
    pub with_declaration_lines: u64,
    /// Number of units with types or variables, that is, with more than line tables.
    pub with_types: u64,
    /// Number of units with the command line of the compiler.
    pub with_command_line: u64,
    /// Number of units with `-fdebug-info-for-profiling` in that command line.
    pub with_profiling_flag: u64,
}

/// A table of abbreviations.
#[derive(Clone, Copy)]
struct Table {
    /// The kinds that the table has abbreviations for. If only one unit has the table, the unit uses all of them.
    kinds: Kinds,
    /// Size of the table in bytes.
    size: usize,
}

/// The number of bytes of tables that may still be read.
struct Budget {
    tables: usize,
    shared: usize,
}

#[derive(Default)]
struct Root<'a> {
    producer: &'a [u8],
    language: Option<u64>,
}

impl DebugInfo {
    /// Returns how the units of the program were compiled.
    #[must_use]
    pub fn survey(&self) -> DebugSurvey {
        DebugSurvey::of(&self.frames(), self.compression(), &|_| 1)
    }

    /// Returns the same facts by samples: each unit counts for the samples at its addresses. Samples at addresses
    /// of no unit do not count.
    #[must_use]
    pub fn survey_of_samples(&self, samples: &[(Svma, u64)]) -> DebugSurvey {
        let view = self.frames();
        let mut weights = vec![0u64; view.main.units.len()];
        for &(svma, count) in samples {
            if let Some(unit) = self.unit_at(svma) {
                weights[unit.0] = weights[unit.0].saturating_add(count);
            }
        }
        DebugSurvey::of(&view, self.compression(), &|unit| weights[unit.0])
    }
}

impl DebugSurvey {
    /// Surveys the units. `weight` returns the number that the unit counts for: 1, or the number of its samples.
    fn of(view: &View<'_>, compression: Option<CompressionFormat>, weight: &dyn Fn(UnitIndex) -> u64) -> Self {
        let skeletons = view
            .main
            .units
            .iter()
            .enumerate()
            .filter(|(_, unit)| unit.split.is_some());
        let mut survey = Self {
            split: SplitUnitCount {
                skeletons: skeletons.map(|(index, _)| weight(UnitIndex(index))).sum(),
                found: view.split.iter().map(|(skeleton, _)| weight(*skeleton)).sum(),
            },
            compression: compression.map(|format| match format {
                CompressionFormat::Zstandard => "zstd",
                _ => "zlib",
            }),
            ..Self::default()
        };
        let lines = LinePrograms::read(&view.main);
        let mut compilers = BTreeMap::new();
        let mut budget = Budget {
            tables: MAX_ABBREVIATION_BYTES,
            shared: MAX_SHARED_BYTES,
        };
        let units = view.main.units.iter().enumerate();
        let whole = units.filter(|(_, unit)| unit.split.is_none());
        Tally::new(&view.main, &mut budget, &mut compilers)
            .add(whole.map(|(index, unit)| (unit, lines.of(unit), weight(UnitIndex(index)))));
        for (skeleton, space) in &view.split {
            // The lines of a split unit are those of its skeleton.
            let lines = lines.of(view.main.unit(*skeleton));
            let weight = weight(*skeleton);
            Tally::new(space, &mut budget, &mut compilers).add(space.units.iter().map(|unit| (unit, lines, weight)));
        }
        survey.compilers = compilers
            .into_iter()
            .map(|((name, language, dwarf_version), counts)| Compiler {
                name,
                language,
                dwarf_version,
                counts,
            })
            .collect();
        survey
            .compilers
            .sort_by_key(|compiler| std::cmp::Reverse(compiler.counts.units));
        survey
    }
}

type Key = (String, String, u16);

/// Counts the units of one space.
struct Tally<'s, 'a> {
    space: &'s Space<'a>,
    budget: &'s mut Budget,
    compilers: &'s mut BTreeMap<Key, UnitCounts>,
    tables: HashMap<DebugAbbrevOffset, Table>,
    /// Number of units that use each table. If several units use one table (link-time optimisation, dwz), each uses
    /// a part of the table.
    sharing: HashMap<DebugAbbrevOffset, usize>,
    /// The shared table that was used last, with its offset. Units that share a table stand together.
    shared: Option<(DebugAbbrevOffset, Abbreviations)>,
    root: AbbreviationTable<'a>,
}

impl<'s, 'a> Tally<'s, 'a> {
    fn new(space: &'s Space<'a>, budget: &'s mut Budget, compilers: &'s mut BTreeMap<Key, UnitCounts>) -> Self {
        let mut sharing = HashMap::new();
        for unit in space.units {
            *sharing.entry(unit.abbreviations).or_default() += 1;
        }
        Self {
            space,
            budget,
            compilers,
            tables: HashMap::new(),
            sharing,
            shared: None,
            root: AbbreviationTable::default(),
        }
    }

    fn add<'u>(&mut self, units: impl Iterator<Item = (&'u Unit, Lines, u64)>) {
        for (unit, lines, weight) in units.filter(|(unit, _, weight)| !unit.is_type && *weight > 0) {
            let root = self.root(unit);
            let kinds = self.kinds(unit);
            let (name, command_line) = split_producer(root.producer);
            let flag = contains_word(command_line, b"-fdebug-info-for-profiling");
            let key = (name, language_name(root.language), unit.encoding.version);
            let counts = self.counts(key);
            let note = |count: &mut u64, has: bool| *count = count.saturating_add(if has { weight } else { 0 });
            note(&mut counts.units, true);
            note(&mut counts.with_lines, lines.rows);
            note(&mut counts.with_discriminators, lines.discriminators);
            note(&mut counts.with_call_discriminators, kinds.call_discriminators);
            note(&mut counts.with_functions, kinds.functions);
            note(&mut counts.with_declaration_lines, kinds.declaration_lines);
            note(&mut counts.with_types, kinds.types);
            note(&mut counts.with_command_line, !command_line.is_empty());
            note(&mut counts.with_profiling_flag, flag);
        }
    }

    fn counts(&mut self, key: Key) -> &mut UnitCounts {
        let full = self.compilers.len() >= MAX_COMPILERS && !self.compilers.contains_key(&key);
        let key = if full {
            ("others".to_owned(), String::new(), 0)
        } else {
            key
        };
        self.compilers.entry(key).or_default()
    }

    fn root(&mut self, unit: &Unit) -> Root<'a> {
        let (space, bytes) = (self.space, self.space.bytes(unit));
        let code = Reader::new(bytes, unit.root.0).uleb();
        space.load_abbreviations(unit, code, &mut self.root);
        let mut root = Root::default();
        // If a DIE cannot be read to its end, the attributes before the error count.
        let _ = attributes(bytes, unit.root, &self.root, unit.encoding, |at, value| match at {
            dw::DW_AT_producer => root.producer = space.string(unit, value).ok().flatten().unwrap_or_default(),
            dw::DW_AT_language => {
                if let Value::Constant(language) | Value::ConstantOrOffset(language) = value {
                    root.language = Some(language);
                }
            }
            _ => {}
        });
        root
    }

    fn kinds(&mut self, unit: &Unit) -> Kinds {
        let (space, offset) = (self.space, unit.abbreviations);
        let table = self.table(offset);
        if self.sharing.get(&offset).is_none_or(|units| *units < 2) {
            return table.kinds;
        }
        if self.shared.as_ref().is_none_or(|(known, _)| *known != offset) {
            // Beyond the budget, the kinds that a unit can have stand for those that it has.
            let Some(rest) = self.budget.shared.checked_sub(table.size) else {
                return table.kinds;
            };
            self.budget.shared = rest;
            let read = space.dwarf.debug_abbrev.abbreviations(offset);
            self.shared = read.ok().map(|abbreviations| (offset, abbreviations));
        }
        match &self.shared {
            Some((_, abbreviations)) => used_kinds(space, unit, abbreviations, table.kinds),
            None => table.kinds,
        }
    }

    fn table(&mut self, offset: DebugAbbrevOffset) -> Table {
        let (space, budget) = (self.space, &mut self.budget.tables);
        *self.tables.entry(offset).or_insert_with(|| {
            let rest = section(space.dwarf.debug_abbrev).get(offset.0..).unwrap_or_default();
            let mut reader = Reader::new(&rest[..rest.len().min(*budget)], 0);
            let mut kinds = Kinds::default();
            while kinds.read_abbreviation(&mut reader).is_some() {}
            let size = reader.position.min(*budget);
            *budget -= size;
            Table { kinds, size }
        })
    }
}

//! What debug information says about how a program was compiled, without reading its functions.
//!
//! Three places tell it, all of them small: each unit's own DIE (compiler, language), its abbreviations (which attributes
//! its functions have at all), and its line program up to the first discriminator. Only where units share abbreviations, a
//! unit's DIEs are looked at, up to the last kind that it can have.

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
use producer::{find, language_name, split_producer};

/// Bytes of abbreviations that are looked at. Each table is read once, but tables may overlap.
const MAX_ABBREVIATION_BYTES: usize = 256 << 20;
/// Bytes of shared tables that are read a second time.
const MAX_SHARED_BYTES: usize = 64 << 20;
/// Compilers told apart; a program is built by a handful.
const MAX_COMPILERS: usize = 64;
/// What debug information says about how a program was compiled. Of a survey by samples, the numbers are of samples.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DebugSurvey {
    /// Those that compiled the program, with most units first.
    pub compilers: Vec<Compiler>,
    /// Skeleton units, whose debug information lies in `.dwo` files or a package.
    pub split: SplitUnitCount,
    /// Whether debug sections are compressed, and how: `zlib` or `zstd`.
    pub compression: Option<&'static str>,
}

/// Skeleton units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SplitUnitCount {
    /// How many there are.
    pub skeletons: u64,
    /// How many of them have their other half.
    pub found: u64,
}

/// The units of one compiler, language and version of DWARF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiler {
    /// The beginning of `DW_AT_producer`, without a recorded command line; empty where it is not stated.
    pub name: String,
    /// `DW_AT_language` as DWARF names it, without `DW_LANG_`; empty where it is not stated.
    pub language: String,
    /// Version of DWARF.
    pub dwarf_version: u16,
    /// How many of its units have what.
    pub counts: UnitCounts,
}

/// How many units have what, or how many samples lie in units that have it. Functions are those that the unit defines: declarations
/// and artificial ones do not count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UnitCounts {
    /// All units.
    pub units: u64,
    /// With a line table that has rows.
    pub with_lines: u64,
    /// With a discriminator in the line table.
    pub with_discriminators: u64,
    /// With a discriminator at the call of an inlined function.
    pub with_call_discriminators: u64,
    /// With functions.
    pub with_functions: u64,
    /// With functions that have the line of their declaration, which line offsets in a profile are counted from.
    pub with_declaration_lines: u64,
    /// With types or variables: more than line tables.
    pub with_types: u64,
    /// With the command line of the compiler.
    pub with_command_line: u64,
    /// With `-fdebug-info-for-profiling` in it.
    pub with_profiling_flag: u64,
}

/// A table of abbreviations.
#[derive(Clone, Copy)]
struct Table {
    /// The kinds that it has abbreviations for. Its only unit uses them all.
    kinds: Kinds,
    /// Its size in bytes.
    size: usize,
}

/// What may still be read of tables, in bytes.
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
    /// What its units say about how they were compiled.
    #[must_use]
    pub fn survey(&self) -> DebugSurvey {
        DebugSurvey::of(&self.frames(), self.compression(), &|_| 1)
    }

    /// The same by samples: each unit counts for the samples at its addresses. Samples of no unit do not count.
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
    /// `weight` is what the unit of a number counts for: 1, or its samples.
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
            // A split unit's lines are its skeleton's.
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
    /// How many units each table has. Of several (link-time optimisation, dwz) each uses a part.
    sharing: HashMap<DebugAbbrevOffset, usize>,
    /// The shared table that was used last, with its offset: units that share one stand together.
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
            let flag = find(command_line, b"-fdebug-info-for-profiling");
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
        // Of a DIE that cannot be read to its end, what comes before that counts.
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
            // Beyond the budget, what a unit can have stands for what it has.
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

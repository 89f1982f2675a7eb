//! What subroutines say of themselves, and the search along `DW_AT_specification` and `DW_AT_abstract_origin`.

use std::rc::Rc;

use gimli::{Encoding, constants as dw};
use rustc_hash::FxHashMap;

use super::abbrev::AbbreviationTable;
use super::attributes::attributes;
use super::form::Value;
use super::range_attributes::RangeAttributes;
use super::unit::{Space, Unit};

/// What the tables need of a subprogram or an inlined subroutine. Of a repeated attribute the first counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Subroutine<'a> {
    name: Option<Value<'a>>,
    linkage_name: Option<Value<'a>>,
    mips_linkage_name: Option<Value<'a>>,
    specification: Option<Value<'a>>,
    abstract_origin: Option<Value<'a>>,
    decl_line: Option<Value<'a>>,
    decl_file: Option<Value<'a>>,
    declaration: Option<Value<'a>>,
    call_line: Option<Value<'a>>,
    discriminator: Option<Value<'a>>,
    pub(crate) ranges: RangeAttributes<'a>,
}

impl<'a> Subroutine<'a> {
    /// The call site's line; 0 when it is not stated.
    pub(crate) fn call_line(&self) -> u64 {
        unsigned(self.call_line)
    }

    /// The call site's discriminator; 0 when it is not stated.
    pub(crate) fn call_discriminator(&self) -> u64 {
        unsigned(self.discriminator)
    }

    /// Whether the function is defined elsewhere.
    pub(crate) fn is_declaration(&self) -> bool {
        unsigned(self.declaration) != 0
    }

    /// The only DIE that a search from here leads to, if this one answers nothing itself.
    pub(crate) fn sole_reference(&self) -> Option<Value<'a>> {
        let own = [self.name, self.linkage_name, self.mips_linkage_name, self.decl_line];
        match (self.specification, self.abstract_origin) {
            (Some(reference), None) | (None, Some(reference)) if own.iter().all(Option::is_none) => Some(reference),
            _ => None,
        }
    }
}

fn unsigned(value: Option<Value<'_>>) -> u64 {
    match value {
        Some(Value::Constant(number) | Value::ConstantOrOffset(number)) => number,
        _ => 0,
    }
}

/// One unit opened for reading.
#[derive(Clone)]
pub(crate) struct UnitReader<'s, 'a> {
    pub(crate) space: &'s Space<'a>,
    pub(crate) unit: &'s Unit,
    pub(crate) bytes: &'a [u8],
    pub(crate) table: Rc<AbbreviationTable<'a>>,
}

impl<'a> UnitReader<'_, 'a> {
    pub(crate) fn subroutine(&self, offset: usize) -> Subroutine<'a> {
        let mut die = Subroutine::default();
        let encoding = self.unit.encoding;
        attributes(self.bytes, offset, &self.table, encoding, |at, value| {
            let place = match at {
                dw::DW_AT_name => &mut die.name,
                dw::DW_AT_linkage_name => &mut die.linkage_name,
                dw::DW_AT_MIPS_linkage_name => &mut die.mips_linkage_name,
                dw::DW_AT_specification => &mut die.specification,
                dw::DW_AT_abstract_origin => &mut die.abstract_origin,
                dw::DW_AT_decl_line => &mut die.decl_line,
                dw::DW_AT_decl_file => &mut die.decl_file,
                dw::DW_AT_declaration => &mut die.declaration,
                dw::DW_AT_call_line => &mut die.call_line,
                dw::DW_AT_GNU_discriminator => &mut die.discriminator,
                _ => return die.ranges.set(at, value),
            };
            place.get_or_insert(value);
        });
        die
    }

    fn string(&self, value: Value<'a>) -> Option<&'a [u8]> {
        self.space.string(self.unit, value)
    }
}

/// What a search finds out about a subroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Description<'a> {
    /// The linkage name, else the plain name.
    pub(crate) name: Option<&'a [u8]>,
    pub(crate) decl_line: u64,
    /// The file of that line, if the DIE that states the line states it, too.
    pub(crate) decl_file: Option<FileReference>,
}

/// An entry in the list of files of a unit's line program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileReference {
    /// The space of the unit.
    pub(crate) space: usize,
    /// Where the unit's header is.
    pub(crate) unit: usize,
    pub(crate) number: u64,
}

/// The DIEs one search may visit. Compilers make chains of three.
const MAX_VISITS: usize = 128;
/// The tables kept for units that others refer to.
const MAX_TABLES: usize = 64;

type TableKey = (usize, usize, Encoding);

/// Follows references between DIEs and units; one a worker.
#[derive(Default)]
pub(crate) struct Resolver<'s, 'a> {
    tables: FxHashMap<TableKey, Rc<AbbreviationTable<'a>>>,
    /// Buffers to fill again.
    spare: Vec<AbbreviationTable<'a>>,
    /// Answers for the DIEs that others refer to, by space and offset.
    known: FxHashMap<(usize, usize), Description<'a>>,
    pending: Vec<(UnitReader<'s, 'a>, usize)>,
    seen: Vec<(usize, usize)>,
}

impl<'s, 'a> Resolver<'s, 'a> {
    /// Opens a unit.
    pub(crate) fn open(&mut self, space: &'s Space<'a>, unit: &'s Unit) -> UnitReader<'s, 'a> {
        let key = (space.id, unit.abbreviations, unit.encoding);
        if self.tables.len() >= MAX_TABLES && !self.tables.contains_key(&key) {
            let unused = self.tables.drain().filter_map(|(_, t)| Rc::try_unwrap(t).ok());
            self.spare.extend(unused);
        }
        let spare = &mut self.spare;
        let table = self.tables.entry(key).or_insert_with(|| {
            let mut table = spare.pop().unwrap_or_default();
            space.load_abbreviations(unit, None, &mut table);
            Rc::new(table)
        });
        UnitReader {
            space,
            unit,
            bytes: space.bytes(unit),
            table: Rc::clone(table),
        }
    }

    /// The DIE a reference leads to.
    fn target(&mut self, from: &UnitReader<'s, 'a>, reference: Value<'a>) -> Option<(UnitReader<'s, 'a>, usize)> {
        let (space, offset) = match reference {
            Value::UnitReference(offset) => {
                let offset = usize::try_from(offset).ok()?;
                return (offset < from.bytes.len()).then(|| (from.clone(), offset));
            }
            Value::Reference(offset) => (from.space, offset),
            Value::SupplementaryReference(offset) => (from.space.supplementary.as_deref()?, offset),
            _ => return None,
        };
        let offset = usize::try_from(offset).ok()?;
        let unit = &space.units[space.unit_containing(offset)?];
        Some((self.open(space, unit), offset - unit.offset))
    }

    /// As [`Self::describe`], remembering the answer for DIEs that many others refer to.
    pub(crate) fn describe_cached(
        &mut self,
        unit: &UnitReader<'s, 'a>,
        offset: usize,
        die: &Subroutine<'a>,
    ) -> Description<'a> {
        let target = die.sole_reference().and_then(|r| self.target(unit, r));
        let Some((unit, offset)) = target else {
            return self.describe(unit, offset, die);
        };
        let key = (unit.space.id, unit.unit.offset + offset);
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let found = self.describe(&unit, offset, &unit.subroutine(offset));
        self.known.insert(key, found);
        found
    }

    /// Looks at the DIE, then along `DW_AT_specification`, then `DW_AT_abstract_origin`, depth first, at each
    /// DIE once. The first DIE that has an attribute answers for it, even if its value cannot be used.
    pub(crate) fn describe(
        &mut self,
        unit: &UnitReader<'s, 'a>,
        offset: usize,
        die: &Subroutine<'a>,
    ) -> Description<'a> {
        let mut linkage_name = None;
        let mut name = None;
        let mut decl_line = None;
        let mut decl_file = None;
        self.pending.clear();
        self.seen.clear();
        self.seen.push((unit.space.id, unit.unit.offset + offset));
        let mut current = (unit.clone(), *die);
        loop {
            let (unit, die) = &current;
            let linkage = die.mips_linkage_name.or(die.linkage_name);
            linkage_name = linkage_name.or_else(|| linkage.map(|value| unit.string(value)));
            name = name.or_else(|| die.name.map(|value| unit.string(value)));
            if decl_line.is_none() && die.decl_line.is_some() {
                decl_line = Some(unsigned(die.decl_line));
                decl_file = die.decl_file.map(|value| FileReference {
                    space: unit.space.id,
                    unit: unit.unit.offset,
                    number: unsigned(Some(value)),
                });
            }
            if linkage_name.is_some_and(|name| name.is_some()) && decl_line.is_some() {
                break;
            }
            // The last one pushed is looked at first.
            for reference in [die.abstract_origin, die.specification] {
                let Some((target, offset)) = reference.and_then(|r| self.target(unit, r)) else {
                    continue;
                };
                let at = (target.space.id, target.unit.offset + offset);
                if self.seen.len() < MAX_VISITS && !self.seen.contains(&at) {
                    self.seen.push(at);
                    self.pending.push((target, offset));
                }
            }
            let Some((unit, offset)) = self.pending.pop() else {
                break;
            };
            let die = unit.subroutine(offset);
            current = (unit, die);
        }
        Description {
            name: linkage_name.flatten().or(name.flatten()),
            decl_line: decl_line.unwrap_or(0),
            decl_file,
        }
    }
}

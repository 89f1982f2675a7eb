//! Reads subroutines, and searches along `DW_AT_specification` and `DW_AT_abstract_origin`.

use std::rc::Rc;

use gimli::{DebugAbbrevOffset, DebugInfoOffset, DwarfFileType, Encoding, UnitOffset, constants as dw};
use rustc_hash::FxHashMap;

use crate::abbrev::AbbreviationTable;
use crate::attributes::attributes;
use crate::fault::{Fault, FaultNote};
use crate::form::Value;
use crate::range_attributes::RangeAttributes;
use crate::ranges::Budget;
use crate::unit::{Space, Unit};

/// The attributes of a subprogram or an inlined subroutine that the tables need. If an attribute is repeated, the
/// first one counts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subroutine<'a> {
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
    /// The attributes that state the addresses of the subroutine.
    pub ranges: RangeAttributes<'a>,
}

impl<'a> Subroutine<'a> {
    /// Returns the line of the call site; 0 if it is not stated.
    pub fn call_line(&self) -> u64 {
        unsigned(self.call_line)
    }

    /// Returns the discriminator of the call site; 0 if it is not stated.
    pub fn call_discriminator(&self) -> u64 {
        unsigned(self.discriminator)
    }

    /// Returns true if the function is defined elsewhere.
    pub fn is_declaration(&self) -> bool {
        unsigned(self.declaration) != 0
    }

    /// Returns the reference to the only DIE that a search from this DIE leads to. Returns `None` if this DIE has
    /// an answer itself, or refers to several DIEs.
    pub fn sole_reference(&self) -> Option<Value<'a>> {
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

/// A unit that has been opened for reading.
#[derive(Clone)]
pub struct UnitReader<'s, 'a> {
    /// The space that has the unit.
    pub space: &'s Space<'a>,
    /// The values in the header and in the DIE of the unit.
    pub unit: &'s Unit,
    /// Bytes of the unit, from its header to its end.
    pub bytes: &'a [u8],
    /// Abbreviations of the unit.
    pub table: Rc<AbbreviationTable<'a>>,
    /// Faults of the unit, and of the DIEs that it refers to.
    pub faults: Rc<FaultNote>,
}

impl<'a> UnitReader<'_, 'a> {
    /// Reads the subroutine whose DIE is at `offset`.
    #[must_use]
    pub fn subroutine(&self, offset: UnitOffset) -> Subroutine<'a> {
        let mut die = Subroutine::default();
        let encoding = self.unit.encoding;
        let read = attributes(self.bytes, offset, &self.table, encoding, |at, value| {
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
        self.note(read);
        die
    }

    /// Writes the address ranges of a subroutine of this unit into `list`; see [`RangeAttributes::read`].
    pub fn ranges(&self, die: &Subroutine<'a>, budget: &mut Budget, list: &mut Vec<(u64, u64)>) {
        self.note(die.ranges.read(self.space, self.unit, budget, list));
    }

    /// Notes the fault of a read in this unit, if the read failed.
    pub fn note(&self, read: Result<(), Fault>) {
        if let Err(fault) = read {
            self.faults.note(self.locate_fault(fault));
        }
    }

    /// Returns the fault with the name that its section has in this file.
    fn locate_fault(&self, fault: Fault) -> Fault {
        if self.space.dwarf.file_type == DwarfFileType::Dwo {
            fault.of_split_unit()
        } else {
            fault
        }
    }

    /// Returns the offset of a DIE of this unit in `.debug_info`.
    fn section_offset(&self, offset: UnitOffset) -> DebugInfoOffset {
        DebugInfoOffset(self.unit.offset.0 + offset.0)
    }

    /// Reads a string. Notes the fault that keeps the string from being read.
    fn string(&self, value: Value<'a>, fault: &mut Option<Fault>) -> Option<&'a [u8]> {
        self.space.string(self.unit, value).unwrap_or_else(|found| {
            fault.get_or_insert(self.locate_fault(found));
            None
        })
    }
}

/// The facts that a search finds about a subroutine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description<'a> {
    /// The linkage name; if there is none, the plain name.
    pub name: Option<&'a [u8]>,
    /// Line of the declaration, `DW_AT_decl_line`; 0 if it is not stated.
    pub decl_line: u64,
    /// File of the declaration, if the DIE that states the line states the file, too.
    pub decl_file: Option<FileReference>,
    /// The fault that keeps a name from being read.
    fault: Option<Fault>,
}

/// An entry in the list of files of a unit's line program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileReference {
    /// Number of the space that has the unit.
    pub space: usize,
    /// Offset of the header of the unit.
    pub unit: DebugInfoOffset,
    /// Number of the entry in the list.
    pub number: u64,
}

/// Largest number of DIEs that one search visits. Compilers make chains of three.
const MAX_VISITS: usize = 128;
/// Largest number of tables that are kept for units that other units refer to.
const MAX_TABLES: usize = 64;

type TableKey = (usize, DebugAbbrevOffset, Encoding);
/// Identifies a DIE: the number of the space, and the offset in its `.debug_info`.
type DieKey = (usize, DebugInfoOffset);

/// Follows references between DIEs and units. Each worker has a resolver.
#[derive(Default)]
pub struct Resolver<'s, 'a> {
    tables: FxHashMap<TableKey, Rc<AbbreviationTable<'a>>>,
    /// Tables whose buffers can be used again.
    spare: Vec<AbbreviationTable<'a>>,
    /// Results for DIEs that other DIEs refer to.
    known: FxHashMap<DieKey, Description<'a>>,
    pending: Vec<(UnitReader<'s, 'a>, UnitOffset)>,
    seen: Vec<DieKey>,
    /// Faults of the unit that is being read.
    faults: Rc<FaultNote>,
}

impl<'s, 'a> Resolver<'s, 'a> {
    /// Opens a unit for reading.
    pub fn open(&mut self, space: &'s Space<'a>, unit: &'s Unit) -> UnitReader<'s, 'a> {
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
            faults: Rc::clone(&self.faults),
        }
    }

    /// Returns the unit and the subroutine that a reference leads to.
    fn target(&mut self, from: &UnitReader<'s, 'a>, reference: Value<'a>) -> Option<(UnitReader<'s, 'a>, UnitOffset)> {
        let (space, offset) = match reference {
            Value::UnitReference(offset) if offset.0 < from.bytes.len() => return Some((from.clone(), offset)),
            Value::Reference(offset) => (from.space, offset),
            // A missing supplementary file is reported by the search for this file.
            Value::SupplementaryReference(offset) => (from.space.supplementary.as_deref()?, offset),
            Value::UnitReference(_) => {
                self.faults.note(Fault::no_target());
                return None;
            }
            _ => return None,
        };
        let Some(unit) = space.unit_containing(offset) else {
            self.faults.note(Fault::no_target());
            return None;
        };
        let unit = &space.units[unit.0];
        Some((self.open(space, unit), UnitOffset(offset.0 - unit.offset.0)))
    }

    /// As [`Self::describe`], but remembers the results for DIEs that many others refer to.
    pub fn describe_cached(
        &mut self,
        unit: &UnitReader<'s, 'a>,
        offset: UnitOffset,
        die: &Subroutine<'a>,
    ) -> Description<'a> {
        let target = die.sole_reference().and_then(|r| self.target(unit, r));
        let Some((unit, offset)) = target else {
            return self.describe(unit, offset, die);
        };
        let key = (unit.space.id, unit.section_offset(offset));
        if let Some(known) = self.known.get(&key) {
            known.fault.into_iter().for_each(|fault| self.faults.note(fault));
            return *known;
        }
        let found = self.describe(&unit, offset, &unit.subroutine(offset));
        self.known.insert(key, found);
        found
    }

    /// Describes a subroutine. Visits the DIE, then those along `DW_AT_specification`, then those along
    /// `DW_AT_abstract_origin`, depth first, each DIE once. The first DIE that has an attribute determines it, even
    /// if its value cannot be used.
    pub fn describe(&mut self, unit: &UnitReader<'s, 'a>, offset: UnitOffset, die: &Subroutine<'a>) -> Description<'a> {
        let mut linkage_name = None;
        let mut name = None;
        let mut decl_line = None;
        let mut decl_file = None;
        let mut fault = None;
        self.pending.clear();
        self.seen.clear();
        self.seen.push((unit.space.id, unit.section_offset(offset)));
        let mut current = (unit.clone(), *die);
        loop {
            let (unit, die) = &current;
            let linkage = die.mips_linkage_name.or(die.linkage_name);
            linkage_name = linkage_name.or_else(|| linkage.map(|value| unit.string(value, &mut fault)));
            name = name.or_else(|| die.name.map(|value| unit.string(value, &mut fault)));
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
            // The reference that is pushed last is visited first.
            for reference in [die.abstract_origin, die.specification] {
                let Some((target, offset)) = reference.and_then(|r| self.target(unit, r)) else {
                    continue;
                };
                let at = (target.space.id, target.section_offset(offset));
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
        fault.into_iter().for_each(|fault| self.faults.note(fault));
        Description {
            name: linkage_name.flatten().or(name.flatten()),
            decl_line: decl_line.unwrap_or(0),
            decl_file,
            fault,
        }
    }
}

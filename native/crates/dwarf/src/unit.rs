//! Units: their positions, and the values in the DIE of each unit that the DIEs below it need.

use gimli::{
    DebugAbbrevOffset, DebugAddrBase, DebugInfoOffset, DebugLineOffset, DebugRngListsBase, DebugRngListsIndex,
    DebugStrOffset, DebugStrOffsetsBase, Dwarf, DwarfFileType, Encoding, EndianSlice, LittleEndian, RangeListsOffset,
    SectionId, UnitOffset, UnitType, constants as dw,
};
use rayon::prelude::*;

use crate::abbrev::AbbreviationTable;
use crate::attributes::attributes;
use crate::fault::{Fault, FaultNote};
use crate::form::Value;
use crate::range_attributes::RangeAttributes;
use crate::reader::Reader;
use crate::unit_index::UnitIndex;

/// A section in the type of gimli.
pub type Slice<'a> = EndianSlice<'a, LittleEndian>;

/// Base of a split unit's offsets into `.debug_ranges`. gimli has no type for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangesBase(pub usize);

/// One unit of `.debug_info`.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Offset of the header of the unit.
    pub offset: DebugInfoOffset,
    /// Offset after the last byte of the unit.
    pub end: DebugInfoOffset,
    /// Offset of the DIE of the unit.
    pub root: UnitOffset,
    /// Version, size of addresses and size of offsets.
    pub encoding: Encoding,
    /// Offset of the abbreviation table of the unit.
    pub abbreviations: DebugAbbrevOffset,
    /// True if the language of the unit is a version of C.
    pub is_c: bool,
    /// True if the unit is a type unit, which has no code.
    pub is_type: bool,
    /// Base of the addresses in the range lists of the unit.
    pub base_address: Option<u64>,
    /// Offset of the line program, `DW_AT_stmt_list`.
    pub line_program: Option<DebugLineOffset>,
    /// `DW_AT_str_offsets_base`, or the start of the table without this attribute.
    pub str_offsets_base: DebugStrOffsetsBase,
    /// Start of the unit's addresses in `.debug_addr`, `DW_AT_addr_base`.
    pub addr_base: Option<DebugAddrBase>,
    /// `DW_AT_rnglists_base`, or the start of the table without this attribute.
    pub range_lists_base: DebugRngListsBase,
    /// Number that is added to offsets into `.debug_ranges`.
    pub ranges_base: RangesBase,
    /// The attributes of the DIE of the unit that state its addresses.
    pub ranges: RangeAttributes<'static>,
    /// The split unit, if this unit is a skeleton; in a split unit, its own name.
    pub split: Option<Box<SplitReference>>,
    /// The fault that keeps the DIE of the unit from being read.
    pub fault: Option<Fault>,
}

/// The reference of a skeleton unit to its split unit.
#[derive(Debug, Clone)]
pub struct SplitReference {
    /// Number that both units have.
    pub id: u64,
    /// Name of the file with the split unit, `DW_AT_dwo_name`.
    pub name: Vec<u8>,
    /// Folder in which the compiler ran, `DW_AT_comp_dir`.
    pub directory: Vec<u8>,
    /// `DW_AT_GNU_ranges_base`, which applies to the split unit only.
    pub ranges_base: RangesBase,
}

/// One `.debug_info` section, with all sections that its DIEs refer to.
pub struct Space<'a> {
    /// Number that distinguishes spaces.
    pub id: usize,
    /// Sections of the space.
    pub dwarf: Dwarf<Slice<'a>>,
    /// Units, ascending and disjoint.
    pub units: &'a [Unit],
    /// The file to which dwz moved common DIEs and strings.
    pub supplementary: Option<Box<Space<'a>>>,
}

impl<'a> Space<'a> {
    /// Makes a space whose units are not known yet.
    pub fn without_units(dwarf: Dwarf<Slice<'a>>) -> Self {
        Self {
            id: 0,
            dwarf,
            units: &[],
            supplementary: None,
        }
    }

    /// Returns the unit with this number.
    ///
    /// # Panics
    /// Panics if the number belongs to another space.
    #[must_use]
    pub fn unit(&self, index: UnitIndex) -> &'a Unit {
        &self.units[index.0]
    }

    /// Returns the bytes of a unit, from its header on.
    pub fn bytes(&self, unit: &Unit) -> &'a [u8] {
        let info = section(self.dwarf.debug_info);
        info.get(unit.offset.0..unit.end.0).unwrap_or_default()
    }

    /// Returns the number of the unit that contains `offset`.
    pub fn unit_containing(&self, offset: DebugInfoOffset) -> Option<UnitIndex> {
        let after = self.units.partition_point(|unit| unit.offset <= offset);
        let index = after.checked_sub(1)?;
        (offset < self.units[index].end).then_some(UnitIndex(index))
    }

    /// Loads the abbreviations of the unit into `table`, up to the abbreviation with the code `until`, if a code is
    /// given.
    pub fn load_abbreviations(&self, unit: &Unit, until: Option<u64>, table: &mut AbbreviationTable<'a>) {
        let section = section(self.dwarf.debug_abbrev);
        table.load(section, unit.abbreviations, unit.encoding, until);
    }

    /// Reads an address that stands in a DIE, or in `.debug_addr`. Returns `None` if the value is of another class.
    ///
    /// # Errors
    /// Fails if `.debug_addr` does not have the address.
    pub fn address(&self, unit: &Unit, value: Value<'a>) -> Result<Option<u64>, Fault> {
        match value {
            Value::Address(address) => Ok(Some(address)),
            Value::AddressIndex(index) => {
                let size = unit.encoding.address_size;
                let found = unit
                    .addr_base
                    .and_then(|base| self.dwarf.debug_addr.get_address(size, base, index).ok());
                let fault = || Fault::new(SectionId::DebugAddr, "ends before an address that a unit refers to");
                found.map(Some).ok_or_else(fault)
            }
            _ => Ok(None),
        }
    }

    /// Reads a string. Returns `None` if the value is of another class, or if the supplementary file with the
    /// string is missing.
    ///
    /// # Errors
    /// Fails if the section with the string, or the section with its offset, does not have it.
    pub fn string(&self, unit: &Unit, value: Value<'a>) -> Result<Option<&'a [u8]>, Fault> {
        let dwarf = &self.dwarf;
        let in_str = |dwarf: &Dwarf<Slice<'a>>, offset: DebugStrOffset| {
            let string = dwarf.debug_str.get_str(offset).map(|string| string.slice());
            let fault = |_| Fault::new(SectionId::DebugStr, "ends before a string that a unit refers to");
            string.map(Some).map_err(fault)
        };
        match value {
            Value::String(string) => Ok(Some(string)),
            Value::StringOffset(offset) => in_str(dwarf, offset),
            Value::LineStringOffset(offset) => {
                let string = dwarf.debug_line_str.get_str(offset).map(|string| string.slice());
                let fault = |_| Fault::new(SectionId::DebugLineStr, "ends before a string that a unit refers to");
                string.map(Some).map_err(fault)
            }
            Value::SupplementaryString(offset) => match self.supplementary.as_deref() {
                Some(supplementary) => in_str(&supplementary.dwarf, offset),
                None => Ok(None),
            },
            Value::StringIndex(index) => {
                let table = &dwarf.debug_str_offsets;
                let offset = table.get_str_offset(unit.encoding.format, unit.str_offsets_base, index);
                let fault = |_| Fault::new(SectionId::DebugStrOffsets, "ends before an entry that a unit refers to");
                in_str(dwarf, offset.map_err(fault)?)
            }
            _ => Ok(None),
        }
    }

    /// Returns the position of the range list with this number in its section.
    pub(crate) fn range_list(&self, unit: &Unit, index: DebugRngListsIndex) -> Result<RangeListsOffset, Fault> {
        let lists = &self.dwarf.ranges;
        let offset = lists.get_offset(unit.encoding, unit.range_lists_base, index);
        offset.map_err(|_| Fault::new(SectionId::DebugRngLists, "ends before a list that a unit refers to"))
    }
}

/// Returns the bytes of a section of gimli.
pub fn section<'a, S: gimli::Section<Slice<'a>>>(section: S) -> &'a [u8] {
    section.reader().slice()
}

/// Reads all units of a `.debug_info`, in order. A header that cannot be read hides the units after it, as in
/// LLVM.
pub fn read_units(space: &Space<'_>, file_type: DwarfFileType) -> (Vec<Unit>, Option<gimli::Error>) {
    let mut headers = Vec::new();
    let mut iter = space.dwarf.debug_info.units();
    let error = loop {
        match iter.next() {
            Ok(Some(header)) => headers.push(header),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    let units: Vec<Unit> = headers
        .par_iter()
        .map_init(AbbreviationTable::default, |table, header| {
            let offset = header.debug_info_offset()?;
            let encoding = header.encoding();
            let id = match header.type_() {
                UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id.0),
                _ => None,
            };
            let mut unit = Unit {
                offset,
                end: DebugInfoOffset(offset.0.checked_add(header.length_including_self())?),
                root: UnitOffset(header.size_of_header()),
                encoding,
                abbreviations: header.debug_abbrev_offset(),
                is_type: matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. }),
                is_c: false,
                base_address: None,
                line_program: None,
                str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, file_type),
                addr_base: None,
                range_lists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, file_type),
                ranges_base: RangesBase(0),
                ranges: RangeAttributes::default(),
                split: None,
                fault: None,
            };
            if !unit.is_type {
                read_root(space, &mut unit, file_type, id, table);
            }
            Some(unit)
        })
        .flatten()
        .collect();
    (units, error)
}

/// Reads the DIE of the unit.
fn read_root<'a>(
    space: &Space<'a>,
    unit: &mut Unit,
    file_type: DwarfFileType,
    id: Option<u64>,
    table: &mut AbbreviationTable<'a>,
) {
    let code = Reader::new(space.bytes(unit), unit.root.0).uleb();
    space.load_abbreviations(unit, code, table);
    let mut low_pc = None;
    let mut entry_pc = None;
    let mut ranges = RangeAttributes::default();
    let mut name = None;
    let mut directory = None;
    let mut gnu_id = None;
    let mut gnu_ranges_base = RangesBase(0);
    let faults = FaultNote::default();
    let (root, encoding) = (unit.root, unit.encoding);
    let read = attributes(space.bytes(unit), root, table, encoding, |at, value| {
        ranges.set(at, value);
        match at {
            dw::DW_AT_language => unit.is_c = constant(value).is_some_and(is_c),
            dw::DW_AT_low_pc => low_pc = low_pc.or(Some(value)),
            dw::DW_AT_entry_pc => entry_pc = entry_pc.or(Some(value)),
            dw::DW_AT_comp_dir => directory = directory.or(Some(value)),
            dw::DW_AT_dwo_name | dw::DW_AT_GNU_dwo_name => name = name.or(Some(value)),
            dw::DW_AT_GNU_dwo_id => gnu_id = constant(value),
            dw::DW_AT_stmt_list => unit.line_program = offset(value).map(DebugLineOffset),
            dw::DW_AT_str_offsets_base => set(&mut unit.str_offsets_base.0, value),
            dw::DW_AT_rnglists_base => set(&mut unit.range_lists_base.0, value),
            dw::DW_AT_addr_base | dw::DW_AT_GNU_addr_base => unit.addr_base = offset(value).map(DebugAddrBase),
            dw::DW_AT_GNU_ranges_base => set(&mut gnu_ranges_base.0, value),
            _ => {}
        }
    });
    faults.value(read);
    unit.ranges = ranges.detached();
    // A split unit has the addresses of its skeleton.
    let base = low_pc.or(entry_pc).filter(|_| file_type == DwarfFileType::Main);
    unit.base_address = base.and_then(|value| faults.value(space.address(unit, value)).flatten());
    if let Some(id) = id.or(gnu_id) {
        let string = |value: Option<_>| value.and_then(|value| faults.value(space.string(unit, value)).flatten());
        unit.split = Some(Box::new(SplitReference {
            id,
            name: string(name).unwrap_or_default().to_vec(),
            directory: string(directory).unwrap_or_default().to_vec(),
            ranges_base: gnu_ranges_base,
        }));
    }
    unit.fault = faults.take();
}

fn is_c(language: u64) -> bool {
    let c = [
        dw::DW_LANG_C89,
        dw::DW_LANG_C,
        dw::DW_LANG_C99,
        dw::DW_LANG_C11,
        dw::DW_LANG_C17,
    ];
    c.iter().any(|c| u64::from(c.0) == language)
}

fn constant(value: Value<'_>) -> Option<u64> {
    match value {
        Value::Constant(number) | Value::ConstantOrOffset(number) => Some(number),
        _ => None,
    }
}

fn offset(value: Value<'_>) -> Option<usize> {
    match value {
        // DW_FORM_sec_offset came with DWARF 4. GNU's split DWARF uses this form in every version.
        Value::SectionOffset(offset) | Value::ConstantOrOffset(offset) => usize::try_from(offset).ok(),
        _ => None,
    }
}

fn set(place: &mut usize, value: Value<'_>) {
    *place = offset(value).unwrap_or(*place);
}

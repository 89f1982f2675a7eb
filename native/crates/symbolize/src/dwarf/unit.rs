//! Units: where they lie, and what their own DIE says that the DIEs below it need.

use gimli::{
    DebugAddrBase, DebugAddrIndex, DebugLineStrOffset, DebugRngListsBase, DebugRngListsIndex, DebugStrOffset,
    DebugStrOffsetsBase, DebugStrOffsetsIndex, Dwarf, DwarfFileType, Encoding, UnitType, constants as dw,
};
use rayon::prelude::*;

use super::abbrev::AbbreviationTable;
use super::attributes::attributes;
use super::form::Value;
use super::range_attributes::RangeAttributes;
use super::reader::Reader;
use crate::sections::Slice;

/// One unit of `.debug_info`.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Of the header in `.debug_info`.
    pub(crate) offset: usize,
    /// Of the byte behind the unit.
    pub(crate) end: usize,
    /// Of the unit's DIE, from the header.
    pub(crate) root: usize,
    pub(crate) encoding: Encoding,
    pub(crate) abbreviations: usize,
    /// Written in some C.
    pub(crate) is_c: bool,
    /// A type unit has no code.
    pub(crate) is_type: bool,
    pub(crate) base_address: Option<u64>,
    /// `DW_AT_stmt_list`.
    pub(crate) line_program: Option<usize>,
    pub(crate) str_offsets_base: usize,
    pub(crate) addr_base: Option<usize>,
    pub(crate) range_lists_base: usize,
    /// What is added to offsets into `.debug_ranges`.
    pub(crate) ranges_base: usize,
    /// What the unit's DIE says about its addresses.
    pub(crate) ranges: RangeAttributes<'static>,
    /// The unit's other half, if this is a skeleton.
    pub(crate) split: Option<Box<SplitReference>>,
}

/// What a skeleton unit says about its split unit.
#[derive(Debug, Clone)]
pub(crate) struct SplitReference {
    pub(crate) id: u64,
    pub(crate) name: Vec<u8>,
    pub(crate) directory: Vec<u8>,
    /// `DW_AT_GNU_ranges_base`, which holds for the split unit only.
    pub(crate) ranges_base: usize,
}

/// One `.debug_info` with all that its DIEs refer to.
pub(crate) struct Space<'a> {
    /// Tells spaces apart.
    pub(crate) id: usize,
    pub(crate) dwarf: Dwarf<Slice<'a>>,
    /// Ascending and disjoint.
    pub(crate) units: &'a [Unit],
    /// The file that dwz moved common DIEs and strings to.
    pub(crate) supplementary: Option<Box<Space<'a>>>,
}

impl<'a> Space<'a> {
    /// A space whose units are not known yet.
    pub(crate) fn without_units(dwarf: Dwarf<Slice<'a>>) -> Self {
        Self {
            id: 0,
            dwarf,
            units: &[],
            supplementary: None,
        }
    }

    /// The bytes of a unit, from its header.
    pub(crate) fn bytes(&self, unit: &Unit) -> &'a [u8] {
        let info = section(self.dwarf.debug_info);
        info.get(unit.offset..unit.end).unwrap_or_default()
    }

    /// The unit that `offset` of `.debug_info` lies in.
    pub(crate) fn unit_containing(&self, offset: usize) -> Option<usize> {
        let after = self.units.partition_point(|unit| unit.offset <= offset);
        let index = after.checked_sub(1)?;
        (offset < self.units[index].end).then_some(index)
    }

    /// Loads the unit's abbreviations into `table`, up to the one with the code `until`, if one is given.
    pub(crate) fn load_abbreviations(&self, unit: &Unit, until: Option<u64>, table: &mut AbbreviationTable<'a>) {
        let section = section(self.dwarf.debug_abbrev);
        table.load(section, unit.abbreviations, unit.encoding, until);
    }

    pub(crate) fn address(&self, unit: &Unit, value: Value<'a>) -> Option<u64> {
        match value {
            Value::Address(address) => Some(address),
            Value::AddressIndex(index) => {
                let base = DebugAddrBase(unit.addr_base?);
                let index = DebugAddrIndex(usize::try_from(index).ok()?);
                let size = unit.encoding.address_size;
                self.dwarf.debug_addr.get_address(size, base, index).ok()
            }
            _ => None,
        }
    }

    pub(crate) fn string(&self, unit: &Unit, value: Value<'a>) -> Option<&'a [u8]> {
        let dwarf = &self.dwarf;
        let in_str = |dwarf: &Dwarf<Slice<'a>>, offset| {
            let string = dwarf.debug_str.get_str(DebugStrOffset(offset)).ok()?;
            Some(string.slice())
        };
        match value {
            Value::String(string) => Some(string),
            Value::StringOffset(offset) => in_str(dwarf, usize::try_from(offset).ok()?),
            Value::LineStringOffset(offset) => {
                let offset = DebugLineStrOffset(usize::try_from(offset).ok()?);
                Some(dwarf.debug_line_str.get_str(offset).ok()?.slice())
            }
            Value::SupplementaryString(offset) => {
                let supplementary = self.supplementary.as_deref()?;
                in_str(&supplementary.dwarf, usize::try_from(offset).ok()?)
            }
            Value::StringIndex(index) => {
                let offset = dwarf.debug_str_offsets.get_str_offset(
                    unit.encoding.format,
                    DebugStrOffsetsBase(unit.str_offsets_base),
                    DebugStrOffsetsIndex(usize::try_from(index).ok()?),
                );
                in_str(dwarf, offset.ok()?.0)
            }
            _ => None,
        }
    }

    /// Where in its section the range list with this number stands.
    pub(crate) fn range_list(&self, unit: &Unit, index: u64) -> Option<usize> {
        let index = DebugRngListsIndex(usize::try_from(index).ok()?);
        let base = DebugRngListsBase(unit.range_lists_base);
        let offset = self.dwarf.ranges.get_offset(unit.encoding, base, index);
        Some(offset.ok()?.0)
    }
}

/// The bytes that a gimli section wraps.
pub(crate) fn section<'a, S: gimli::Section<Slice<'a>>>(section: S) -> &'a [u8] {
    section.reader().slice()
}

/// All units of a `.debug_info`, in order. A header that cannot be read hides what follows it, here as in LLVM.
pub(crate) fn read_units(space: &Space<'_>, file_type: DwarfFileType) -> (Vec<Unit>, Option<gimli::Error>) {
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
            let offset = header.debug_info_offset()?.0;
            let encoding = header.encoding();
            let id = match header.type_() {
                UnitType::Skeleton(id) | UnitType::SplitCompilation(id) => Some(id.0),
                _ => None,
            };
            let mut unit = Unit {
                offset,
                end: offset.checked_add(header.length_including_self())?,
                root: header.size_of_header(),
                encoding,
                abbreviations: header.debug_abbrev_offset().0,
                is_type: matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. }),
                is_c: false,
                base_address: None,
                line_program: None,
                str_offsets_base: DebugStrOffsetsBase::default_for_encoding_and_file(encoding, file_type).0,
                addr_base: None,
                range_lists_base: DebugRngListsBase::default_for_encoding_and_file(encoding, file_type).0,
                ranges_base: 0,
                ranges: RangeAttributes::default(),
                split: None,
            };
            if !unit.is_type {
                read_root(space, &mut unit, id, table);
            }
            Some(unit)
        })
        .flatten()
        .collect();
    (units, error)
}

/// Reads the unit's own DIE.
fn read_root<'a>(space: &Space<'a>, unit: &mut Unit, id: Option<u64>, table: &mut AbbreviationTable<'a>) {
    let code = Reader::new(space.bytes(unit), unit.root).uleb();
    space.load_abbreviations(unit, code, table);
    let mut low_pc = None;
    let mut entry_pc = None;
    let mut ranges = RangeAttributes::default();
    let mut name = None;
    let mut directory = None;
    let mut gnu_id = None;
    let mut gnu_ranges_base = 0;
    let (root, encoding) = (unit.root, unit.encoding);
    attributes(space.bytes(unit), root, table, encoding, |at, value| {
        ranges.set(at, value);
        match at {
            dw::DW_AT_language => unit.is_c = constant(value).is_some_and(is_c),
            dw::DW_AT_low_pc => low_pc = low_pc.or(Some(value)),
            dw::DW_AT_entry_pc => entry_pc = entry_pc.or(Some(value)),
            dw::DW_AT_comp_dir => directory = directory.or(Some(value)),
            dw::DW_AT_dwo_name | dw::DW_AT_GNU_dwo_name => name = name.or(Some(value)),
            dw::DW_AT_GNU_dwo_id => gnu_id = constant(value),
            dw::DW_AT_stmt_list => unit.line_program = offset(value),
            dw::DW_AT_str_offsets_base => set(&mut unit.str_offsets_base, value),
            dw::DW_AT_rnglists_base => set(&mut unit.range_lists_base, value),
            dw::DW_AT_addr_base | dw::DW_AT_GNU_addr_base => unit.addr_base = offset(value),
            dw::DW_AT_GNU_ranges_base => set(&mut gnu_ranges_base, value),
            _ => {}
        }
    });
    let base = low_pc.or(entry_pc);
    unit.base_address = base.and_then(|value| space.address(unit, value));
    unit.ranges = ranges.detached();
    if let Some(id) = id.or(gnu_id) {
        let string = |value: Option<_>| value.and_then(|value| space.string(unit, value));
        unit.split = Some(Box::new(SplitReference {
            id,
            name: string(name).unwrap_or_default().to_vec(),
            directory: string(directory).unwrap_or_default().to_vec(),
            ranges_base: gnu_ranges_base,
        }));
    }
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
        // DW_FORM_sec_offset came with DWARF 4; GNU's split DWARF uses it in every version.
        Value::SectionOffset(offset) | Value::ConstantOrOffset(offset) => usize::try_from(offset).ok(),
        _ => None,
    }
}

fn set(place: &mut usize, value: Value<'_>) {
    *place = offset(value).unwrap_or(*place);
}

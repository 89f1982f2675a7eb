//! Attribute forms: how many bytes a value takes and what it means (DWARF 5 section 7.5.6, GNU extensions).

use gimli::{
    DebugAddrIndex, DebugInfoOffset, DebugLineStrOffset, DebugRngListsIndex, DebugStrOffset, DebugStrOffsetsIndex,
    DwForm, Encoding, UnitOffset, constants as dw,
};

use crate::reader::Reader;

/// LLVM: BinaryFormat/Dwarf.def, DW_FORM_LLVM_addrx_offset (ULEB128 index, 4-byte offset).
pub(crate) const DW_FORM_LLVM_ADDRX_OFFSET: DwForm = DwForm(0x2001);

/// How a value is stepped over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// So many bytes.
    Fixed(u8),
    /// One LEB128 number.
    Leb,
    /// One LEB128 number and 4 bytes.
    LebAnd4,
    /// A string ending in NUL.
    String,
    /// A length of 1, 2 or 4 bytes, then so many bytes.
    Block(u8),
    /// A ULEB128 length, then so many bytes.
    BlockLeb,
    /// The form itself stands before the value.
    Indirect,
}

/// The size class of a form; `None` for a form that is not known, whose DIE cannot be stepped over.
pub(crate) fn size(form: DwForm, encoding: Encoding) -> Option<Size> {
    let word = encoding.format.word_size();
    Some(match form {
        dw::DW_FORM_addr => Size::Fixed(encoding.address_size),
        // DWARF 2 made this as large as an address.
        dw::DW_FORM_ref_addr if encoding.version == 2 => Size::Fixed(encoding.address_size),
        dw::DW_FORM_sec_offset
        | dw::DW_FORM_strp
        | dw::DW_FORM_line_strp
        | dw::DW_FORM_strp_sup
        | dw::DW_FORM_ref_addr
        | dw::DW_FORM_GNU_ref_alt
        | dw::DW_FORM_GNU_strp_alt => Size::Fixed(word),
        dw::DW_FORM_flag_present | dw::DW_FORM_implicit_const => Size::Fixed(0),
        dw::DW_FORM_data1 | dw::DW_FORM_flag | dw::DW_FORM_ref1 | dw::DW_FORM_strx1 | dw::DW_FORM_addrx1 => {
            Size::Fixed(1)
        }
        dw::DW_FORM_data2 | dw::DW_FORM_ref2 | dw::DW_FORM_strx2 | dw::DW_FORM_addrx2 => Size::Fixed(2),
        dw::DW_FORM_strx3 | dw::DW_FORM_addrx3 => Size::Fixed(3),
        dw::DW_FORM_data4 | dw::DW_FORM_ref4 | dw::DW_FORM_ref_sup4 | dw::DW_FORM_strx4 | dw::DW_FORM_addrx4 => {
            Size::Fixed(4)
        }
        dw::DW_FORM_data8 | dw::DW_FORM_ref8 | dw::DW_FORM_ref_sup8 | dw::DW_FORM_ref_sig8 => Size::Fixed(8),
        dw::DW_FORM_data16 => Size::Fixed(16),
        dw::DW_FORM_udata
        | dw::DW_FORM_sdata
        | dw::DW_FORM_ref_udata
        | dw::DW_FORM_strx
        | dw::DW_FORM_addrx
        | dw::DW_FORM_loclistx
        | dw::DW_FORM_rnglistx
        | dw::DW_FORM_GNU_addr_index
        | dw::DW_FORM_GNU_str_index => Size::Leb,
        DW_FORM_LLVM_ADDRX_OFFSET => Size::LebAnd4,
        dw::DW_FORM_string => Size::String,
        dw::DW_FORM_block1 => Size::Block(1),
        dw::DW_FORM_block2 => Size::Block(2),
        dw::DW_FORM_block4 => Size::Block(4),
        dw::DW_FORM_block | dw::DW_FORM_exprloc => Size::BlockLeb,
        dw::DW_FORM_indirect => Size::Indirect,
        _ => return None,
    })
}

/// Steps over one value.
pub(crate) fn skip(reader: &mut Reader<'_>, size: Size, encoding: Encoding) -> Option<()> {
    match size {
        Size::Fixed(len) => reader.skip(usize::from(len)),
        Size::Leb => reader.skip_leb()?,
        Size::LebAnd4 => {
            reader.skip_leb()?;
            reader.skip(4);
        }
        Size::String => {
            reader.string()?;
        }
        Size::Block(width) => {
            let len = reader.unsigned(usize::from(width))?;
            reader.skip(usize::try_from(len).ok()?);
        }
        Size::BlockLeb => {
            let len = reader.uleb()?;
            reader.skip(usize::try_from(len).ok()?);
        }
        Size::Indirect => {
            let form = direct_form(reader)?;
            return skip(reader, self::size(form, encoding)?, encoding);
        }
    }
    Some(())
}

/// The form behind `DW_FORM_indirect`. Another indirection, or an implicit constant that has no place to stand, is not
/// allowed (DWARF 5 section 7.5.3); LLVM follows the one and steps over the other as over nothing.
fn direct_form(reader: &mut Reader<'_>) -> Option<DwForm> {
    loop {
        let form = DwForm(u16::try_from(reader.uleb()?).ok()?);
        if form != dw::DW_FORM_indirect {
            return Some(form);
        }
    }
}

/// An attribute's value, by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An address.
    Address(u64),
    /// An address in `.debug_addr`.
    AddressIndex(DebugAddrIndex),
    /// An unsigned number.
    Constant(u64),
    /// `DW_FORM_data4` or `data8`, which were section offsets before DWARF 4.
    ConstantOrOffset(u64),
    /// `DW_FORM_sdata`, which LLVM does not take for an unsigned constant.
    Signed(i64),
    /// An offset into the section that the attribute is about.
    SectionOffset(u64),
    /// A range list in `.debug_rnglists`.
    RangeListIndex(DebugRngListsIndex),
    /// A DIE of this unit.
    UnitReference(UnitOffset),
    /// A DIE of this `.debug_info`.
    Reference(DebugInfoOffset),
    /// A DIE of the supplementary file's `.debug_info`.
    SupplementaryReference(DebugInfoOffset),
    /// A string that stands in the DIE.
    String(&'a [u8]),
    /// A string in `.debug_str`.
    StringOffset(DebugStrOffset),
    /// A string in `.debug_line_str`.
    LineStringOffset(DebugLineStrOffset),
    /// A string in the supplementary file's `.debug_str`.
    SupplementaryString(DebugStrOffset),
    /// A string whose offset `.debug_str_offsets` has.
    StringIndex(DebugStrOffsetsIndex),
    /// A class that no attribute this crate reads can have.
    Other,
}

impl Value<'_> {
    /// The value, unless it is a string.
    #[must_use]
    pub fn detached(self) -> Value<'static> {
        match self {
            Value::String(_) | Value::Other => Value::Other,
            Value::Address(v) => Value::Address(v),
            Value::AddressIndex(v) => Value::AddressIndex(v),
            Value::Constant(v) => Value::Constant(v),
            Value::ConstantOrOffset(v) => Value::ConstantOrOffset(v),
            Value::Signed(v) => Value::Signed(v),
            Value::SectionOffset(v) => Value::SectionOffset(v),
            Value::RangeListIndex(v) => Value::RangeListIndex(v),
            Value::UnitReference(v) => Value::UnitReference(v),
            Value::Reference(v) => Value::Reference(v),
            Value::SupplementaryReference(v) => Value::SupplementaryReference(v),
            Value::StringOffset(v) => Value::StringOffset(v),
            Value::LineStringOffset(v) => Value::LineStringOffset(v),
            Value::SupplementaryString(v) => Value::SupplementaryString(v),
            Value::StringIndex(v) => Value::StringIndex(v),
        }
    }
}

/// Reads one value.
pub(crate) fn read<'a>(reader: &mut Reader<'a>, form: DwForm, implicit: i64, encoding: Encoding) -> Option<Value<'a>> {
    let number = |reader: &mut Reader<'a>| match size(form, encoding)? {
        Size::Fixed(len) => reader.unsigned(usize::from(len)),
        Size::Leb => reader.uleb(),
        _ => None,
    };
    let place = |reader: &mut Reader<'a>| usize::try_from(number(reader)?).ok();
    Some(match form {
        dw::DW_FORM_addr => Value::Address(number(reader)?),
        dw::DW_FORM_addrx
        | dw::DW_FORM_addrx1
        | dw::DW_FORM_addrx2
        | dw::DW_FORM_addrx3
        | dw::DW_FORM_addrx4
        | dw::DW_FORM_GNU_addr_index => Value::AddressIndex(DebugAddrIndex(place(reader)?)),
        dw::DW_FORM_data1 | dw::DW_FORM_data2 | dw::DW_FORM_udata | dw::DW_FORM_flag => {
            Value::Constant(number(reader)?)
        }
        dw::DW_FORM_data4 | dw::DW_FORM_data8 => Value::ConstantOrOffset(number(reader)?),
        dw::DW_FORM_flag_present => Value::Constant(1),
        #[expect(clippy::cast_sign_loss, reason = "LLVM reads the constant as unsigned")]
        dw::DW_FORM_implicit_const => Value::Constant(implicit as u64),
        dw::DW_FORM_sdata => Value::Signed(reader.sleb()?),
        dw::DW_FORM_sec_offset => Value::SectionOffset(number(reader)?),
        dw::DW_FORM_rnglistx => Value::RangeListIndex(DebugRngListsIndex(place(reader)?)),
        dw::DW_FORM_ref1 | dw::DW_FORM_ref2 | dw::DW_FORM_ref4 | dw::DW_FORM_ref8 | dw::DW_FORM_ref_udata => {
            Value::UnitReference(UnitOffset(place(reader)?))
        }
        dw::DW_FORM_ref_addr => Value::Reference(DebugInfoOffset(place(reader)?)),
        dw::DW_FORM_GNU_ref_alt | dw::DW_FORM_ref_sup4 | dw::DW_FORM_ref_sup8 => {
            Value::SupplementaryReference(DebugInfoOffset(place(reader)?))
        }
        dw::DW_FORM_string => Value::String(reader.string()?),
        dw::DW_FORM_strp => Value::StringOffset(DebugStrOffset(place(reader)?)),
        dw::DW_FORM_line_strp => Value::LineStringOffset(DebugLineStrOffset(place(reader)?)),
        dw::DW_FORM_GNU_strp_alt | dw::DW_FORM_strp_sup => Value::SupplementaryString(DebugStrOffset(place(reader)?)),
        dw::DW_FORM_strx
        | dw::DW_FORM_strx1
        | dw::DW_FORM_strx2
        | dw::DW_FORM_strx3
        | dw::DW_FORM_strx4
        | dw::DW_FORM_GNU_str_index => Value::StringIndex(DebugStrOffsetsIndex(place(reader)?)),
        dw::DW_FORM_indirect => {
            let form = direct_form(reader)?;
            return read(reader, form, 0, encoding);
        }
        _ => {
            skip(reader, size(form, encoding)?, encoding)?;
            Value::Other
        }
    })
}

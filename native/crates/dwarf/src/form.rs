//! Forms of attributes: the number of bytes of a value, and its meaning (DWARF 5 section 7.5.6, GNU extensions).

use gimli::{
    DebugAddrIndex, DebugInfoOffset, DebugLineStrOffset, DebugRngListsIndex, DebugStrOffset, DebugStrOffsetsIndex,
    DwForm, Encoding, UnitOffset, constants as dw,
};

use crate::reader::Reader;

/// Form with a ULEB128 index and a 4-byte offset (LLVM: BinaryFormat/Dwarf.def, DW_FORM_LLVM_addrx_offset).
pub(crate) const DW_FORM_LLVM_ADDRX_OFFSET: DwForm = DwForm(0x2001);

/// The size class of a value, by which the value can be skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    /// This number of bytes.
    Fixed(u8),
    /// One LEB128 number.
    Leb,
    /// One LEB128 number and 4 bytes.
    LebAnd4,
    /// A string that ends with a NUL.
    String,
    /// A length of 1, 2 or 4 bytes, then this length of bytes.
    Block(u8),
    /// A ULEB128 length, then this length of bytes.
    BlockLeb,
    /// The value is preceded by its form.
    Indirect,
}

/// Returns the size class of a form; `None` for an unknown form. A DIE with an unknown form cannot be skipped.
pub(crate) fn size(form: DwForm, encoding: Encoding) -> Option<Size> {
    let word = encoding.format.word_size();
    Some(match form {
        dw::DW_FORM_addr => Size::Fixed(encoding.address_size),
        // In DWARF 2 this form is as large as an address.
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

/// Skips one value.
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

/// Reads the form after `DW_FORM_indirect`. Refuses another indirection, and an implicit constant, which has no
/// place for its value here (DWARF 5 section 7.5.3). LLVM follows the former, and skips no bytes for the latter.
fn direct_form(reader: &mut Reader<'_>) -> Option<DwForm> {
    loop {
        let form = DwForm(u16::try_from(reader.uleb()?).ok()?);
        if form != dw::DW_FORM_indirect {
            return Some(form);
        }
    }
}

/// The value of an attribute, by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An address.
    Address(u64),
    /// Index of an address in `.debug_addr`.
    AddressIndex(DebugAddrIndex),
    /// An unsigned number.
    Constant(u64),
    /// A `DW_FORM_data4` or `data8`, which could be a section offset before DWARF 4.
    ConstantOrOffset(u64),
    /// A `DW_FORM_sdata`. LLVM does not accept this form for an unsigned constant.
    Signed(i64),
    /// An offset into the section that the attribute is about.
    SectionOffset(u64),
    /// Index of a range list in `.debug_rnglists`.
    RangeListIndex(DebugRngListsIndex),
    /// Offset of a DIE of the same unit.
    UnitReference(UnitOffset),
    /// Offset of a DIE in the same `.debug_info`.
    Reference(DebugInfoOffset),
    /// Offset of a DIE in the `.debug_info` of the supplementary file.
    SupplementaryReference(DebugInfoOffset),
    /// A string that stands in the DIE.
    String(&'a [u8]),
    /// Offset of a string in `.debug_str`.
    StringOffset(DebugStrOffset),
    /// Offset of a string in `.debug_line_str`.
    LineStringOffset(DebugLineStrOffset),
    /// Offset of a string in the `.debug_str` of the supplementary file.
    SupplementaryString(DebugStrOffset),
    /// Index into `.debug_str_offsets`, which has the offset of the string.
    StringIndex(DebugStrOffsetsIndex),
    /// A value of another class. No attribute that this crate reads can have such a value.
    Other,
}

impl Value<'_> {
    /// Returns the value without a tie to the section. A string becomes [`Value::Other`].
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

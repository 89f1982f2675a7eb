//! Reads the attributes of one DIE that this crate uses.

use gimli::{DwAt, Encoding, UnitOffset, constants as dw};

use crate::abbrev::{AbbreviationTable, Specification};
use crate::fault::Fault;
use crate::form::{self, Value};
use crate::reader::Reader;

/// Calls `found` for each attribute of the DIE at `offset`, in order.
///
/// # Errors
/// Fails if the DIE cannot be read to its end. `found` was called for the attributes before.
pub fn attributes<'a>(
    unit: &'a [u8],
    offset: UnitOffset,
    table: &AbbreviationTable<'_>,
    encoding: Encoding,
    mut found: impl FnMut(DwAt, Value<'a>),
) -> Result<(), Fault> {
    let mut reader = Reader::new(unit, offset.0);
    let code = reader.uleb().ok_or_else(Fault::unit_ends)?;
    let abbreviation = table.get(code).ok_or_else(Fault::no_abbreviation)?;
    let read = table.for_each_specification(abbreviation, |Specification { name, form }, implicit| {
        if is_read(name) {
            found(name, form::read(&mut reader, form, implicit, encoding)?);
            Some(())
        } else {
            form::skip(&mut reader, form::size(form, encoding)?, encoding)
        }
    });
    read.ok_or_else(Fault::unreadable_die)
}

/// Returns true if any part of this crate reads the attribute.
fn is_read(name: DwAt) -> bool {
    matches!(
        name,
        dw::DW_AT_name
            | dw::DW_AT_linkage_name
            | dw::DW_AT_MIPS_linkage_name
            | dw::DW_AT_specification
            | dw::DW_AT_abstract_origin
            | dw::DW_AT_low_pc
            | dw::DW_AT_high_pc
            | dw::DW_AT_entry_pc
            | dw::DW_AT_language
            | dw::DW_AT_producer
            | dw::DW_AT_ranges
            | dw::DW_AT_decl_file
            | dw::DW_AT_decl_line
            | dw::DW_AT_declaration
            | dw::DW_AT_call_line
            | dw::DW_AT_GNU_discriminator
            | dw::DW_AT_stmt_list
            | dw::DW_AT_comp_dir
            | dw::DW_AT_dwo_name
            | dw::DW_AT_GNU_dwo_name
            | dw::DW_AT_GNU_dwo_id
            | dw::DW_AT_str_offsets_base
            | dw::DW_AT_rnglists_base
            | dw::DW_AT_addr_base
            | dw::DW_AT_GNU_addr_base
            | dw::DW_AT_GNU_ranges_base
    )
}

//! Finds the kinds of DIEs that units can have, by their abbreviations, and the kinds that they have.

use dwarf::{Reader, Space, Unit};
use gimli::{Abbreviations, AttributeSpecification, DwAt, DwTag, constants as dw};

/// Kinds of DIEs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub(super) call_discriminators: bool,
    pub(super) functions: bool,
    pub(super) declaration_lines: bool,
    pub(super) types: bool,
}

/// Returns the kinds of DIEs that a unit has, out of those that it can have. Stops at the first DIE that cannot be
/// read.
pub(super) fn used_kinds(space: &Space<'_>, unit: &Unit, abbreviations: &Abbreviations, possible: Kinds) -> Kinds {
    let mut used = Kinds::default();
    let Ok(header) = space.dwarf.debug_info.header_from_offset(unit.offset) else {
        return used;
    };
    let Ok(mut entries) = header.entries_raw(abbreviations, None) else {
        return used;
    };
    while used != possible && !entries.is_empty() {
        match entries.read_abbreviation() {
            Ok(Some(abbreviation)) => {
                let attributes = abbreviation.attributes();
                used.note(abbreviation.tag(), attributes.iter().map(AttributeSpecification::name));
                if entries.skip_attributes(attributes).is_err() {
                    break;
                }
            }
            Ok(None) => {}
            Err(_) => break,
        }
    }
    used
}

impl Kinds {
    /// Reads one abbreviation of a table (DWARF 5 section 7.5.3).
    pub(super) fn read_abbreviation(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        reader.uleb().filter(|code| *code != 0)?;
        let tag = DwTag(u16::try_from(reader.uleb()?).unwrap_or(0));
        reader.unsigned(1)?;
        let mut names = Vec::new();
        loop {
            let (name, form) = (reader.uleb()?, reader.uleb()?);
            if (name, form) == (0, 0) {
                break;
            }
            if form == u64::from(dw::DW_FORM_implicit_const.0) {
                reader.sleb()?;
            }
            names.push(DwAt(u16::try_from(name).unwrap_or(0)));
        }
        self.note(tag, names.into_iter());
        Some(())
    }

    /// Notes a DIE with this tag and these attributes.
    fn note(&mut self, tag: DwTag, names: impl Iterator<Item = DwAt>) {
        match tag {
            dw::DW_TAG_subprogram => {
                let [mut name, mut line, mut elsewhere] = [false; 3];
                for attribute in names {
                    match attribute {
                        dw::DW_AT_name => name = true,
                        dw::DW_AT_decl_line => line = true,
                        dw::DW_AT_declaration | dw::DW_AT_artificial => elsewhere = true,
                        _ => {}
                    }
                }
                self.functions |= name && !elsewhere;
                self.declaration_lines |= name && line && !elsewhere;
            }
            dw::DW_TAG_inlined_subroutine => {
                let mut names = names;
                self.call_discriminators |= names.any(|name| name == dw::DW_AT_GNU_discriminator);
            }
            dw::DW_TAG_base_type
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_pointer_type
            | dw::DW_TAG_formal_parameter
            | dw::DW_TAG_variable => self.types = true,
            _ => {}
        }
    }
}

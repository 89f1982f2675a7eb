//! Abbreviation tables, compiled for two uses: reading a DIE's attributes, and stepping over DIEs fast.
//!
//! A walk over a unit looks at one DIE in a thousand. So each abbreviation carries a *plan*: the bytes up to
//! the first value of variable size, then one step for each such value with the fixed bytes that follow it.
//! Most DIEs are one addition.

use std::num::NonZeroU8;

use gimli::{DwAt, DwForm, DwTag, Encoding, constants as dw};
use rustc_hash::FxHashMap;

use super::form::{self, Size};
use super::reader::Reader;

/// An attribute's name and form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Specification {
    pub(crate) name: DwAt,
    pub(crate) form: DwForm,
    /// The value of a `DW_FORM_implicit_const`.
    pub(crate) implicit: i64,
}

/// A value of variable size and the fixed bytes behind it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) size: Size,
    pub(crate) then: u32,
}

/// What one abbreviation declares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Abbreviation {
    /// Bytes before the first step.
    pub(crate) fixed: u32,
    first_step: u32,
    first_specification: u32,
    step_count: u16,
    specification_count: u16,
    pub(crate) has_children: bool,
    pub(crate) interest: Interest,
    /// Of a type with members: where among the fixed bytes its `DW_AT_sibling` stands, if that is a `DW_FORM_ref4`.
    pub(crate) sibling: Option<NonZeroU8>,
}

/// Why a walk may want to stop at a DIE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    None,
    /// A `DW_TAG_subprogram` that can have no code.
    Subprogram,
    /// A `DW_TAG_subprogram` with `DW_AT_low_pc` or `DW_AT_ranges`.
    SubprogramWithCode,
    /// A `DW_TAG_inlined_subroutine`.
    Inlined,
    /// There is no such abbreviation, or a form in it is not known: nothing behind this DIE can be found.
    Opaque,
}

/// Codes below this one are looked up in an array.
const DENSE: u64 = 1 << 14;

const ABSENT: Abbreviation = Abbreviation {
    fixed: 0,
    first_step: 0,
    first_specification: 0,
    step_count: 0,
    specification_count: 0,
    has_children: false,
    interest: Interest::Opaque,
    sibling: None,
};

/// The abbreviations that one or more units use.
#[derive(Default)]
pub(crate) struct AbbreviationTable {
    dense: Vec<Abbreviation>,
    sparse: FxHashMap<u64, Abbreviation>,
    specifications: Vec<Specification>,
    steps: Vec<Step>,
}

impl AbbreviationTable {
    /// Makes this the table at `offset` of `.debug_abbrev`, up to the abbreviation with the code `until`, if one is
    /// given. What cannot be read ends the table.
    pub(crate) fn load(&mut self, section: &[u8], offset: usize, encoding: Encoding, until: Option<u64>) {
        self.dense.clear();
        self.sparse.clear();
        self.specifications.clear();
        self.steps.clear();
        let mut reader = Reader::new(section, offset);
        while let Some(code) = self.load_one(&mut reader, encoding) {
            if Some(code) == until {
                break;
            }
        }
    }

    fn load_one(&mut self, reader: &mut Reader<'_>, encoding: Encoding) -> Option<u64> {
        let code = reader.uleb().filter(|code| *code != 0)?;
        let tag = DwTag(u16::try_from(reader.uleb()?).ok()?);
        let mut entry = Abbreviation {
            first_step: u32::try_from(self.steps.len()).ok()?,
            first_specification: u32::try_from(self.specifications.len()).ok()?,
            has_children: reader.unsigned(1)? != 0,
            interest: Interest::None,
            ..ABSENT
        };
        let has_members = matches!(
            tag,
            dw::DW_TAG_structure_type
                | dw::DW_TAG_union_type
                | dw::DW_TAG_enumeration_type
                | dw::DW_TAG_subroutine_type
                | dw::DW_TAG_array_type
        );
        let mut has_code = false;
        let mut opaque = false;
        loop {
            let name = reader.uleb()?;
            let form = reader.uleb()?;
            if name == 0 && form == 0 {
                break;
            }
            let form = DwForm(u16::try_from(form).ok()?);
            let implicit = if form == dw::DW_FORM_implicit_const {
                reader.sleb()?
            } else {
                0
            };
            // A name beyond 16 bits is some vendor's; 0 names nothing.
            let name = DwAt(u16::try_from(name).unwrap_or(0));
            has_code |= name == dw::DW_AT_low_pc || name == dw::DW_AT_ranges;
            self.specifications.push(Specification { name, form, implicit });
            entry.specification_count = entry.specification_count.checked_add(1)?;
            if has_members && name == dw::DW_AT_sibling && form == dw::DW_FORM_ref4 && entry.step_count == 0 {
                // One too many, to leave room for "none".
                entry.sibling = u8::try_from(entry.fixed + 1).ok().and_then(NonZeroU8::new);
            }
            match form::size(form, encoding) {
                Some(Size::Fixed(len)) => {
                    let place = match self.steps[entry.first_step as usize..].last_mut() {
                        Some(step) => &mut step.then,
                        None => &mut entry.fixed,
                    };
                    *place = place.checked_add(u32::from(len))?;
                }
                Some(size) => {
                    self.steps.push(Step { size, then: 0 });
                    entry.step_count = entry.step_count.checked_add(1)?;
                }
                None => opaque = true,
            }
        }
        entry.interest = match tag {
            _ if opaque => Interest::Opaque,
            dw::DW_TAG_subprogram if has_code => Interest::SubprogramWithCode,
            dw::DW_TAG_subprogram => Interest::Subprogram,
            dw::DW_TAG_inlined_subroutine => Interest::Inlined,
            _ => Interest::None,
        };
        self.insert(code, entry);
        Some(code)
    }

    fn insert(&mut self, code: u64, entry: Abbreviation) {
        if code >= DENSE {
            self.sparse.entry(code).or_insert(entry);
            return;
        }
        let slot = usize::try_from(code).expect("below DENSE");
        if self.dense.len() <= slot {
            self.dense.resize(slot + 1, ABSENT);
        }
        if self.dense[slot].interest == Interest::Opaque {
            self.dense[slot] = entry;
        }
    }

    #[inline]
    pub(crate) fn get(&self, code: u64) -> Option<&Abbreviation> {
        match usize::try_from(code).ok().and_then(|c| self.dense.get(c)) {
            Some(entry) => Some(entry),
            None => self.sparse.get(&code),
        }
    }

    #[inline]
    pub(crate) fn steps(&self, abbreviation: &Abbreviation) -> &[Step] {
        let first = abbreviation.first_step as usize;
        &self.steps[first..][..usize::from(abbreviation.step_count)]
    }

    pub(crate) fn specifications(&self, abbreviation: &Abbreviation) -> &[Specification] {
        let first = abbreviation.first_specification as usize;
        &self.specifications[first..][..usize::from(abbreviation.specification_count)]
    }
}

//! Abbreviation tables, compiled for two uses: reading a DIE's attributes, and stepping over DIEs fast.
//!
//! A walk over a unit looks at one DIE in a thousand. So each abbreviation carries a *plan*: the bytes up to
//! the first value of variable size, then one step for each such value with the fixed bytes that follow it.
//! Most DIEs are one addition.

use std::num::NonZeroU8;

use gimli::{DebugAbbrevOffset, DwAt, DwForm, DwTag, Encoding, constants as dw};
use rustc_hash::FxHashMap;

use crate::form::{self, Size};
use crate::reader::Reader;

/// An attribute's name and form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Specification {
    pub(crate) name: DwAt,
    pub(crate) form: DwForm,
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
    /// Where in the table its list of attributes begins.
    attributes: u32,
    step_count: u16,
    pub(crate) has_children: bool,
    pub(crate) interest: Interest,
    /// Of a type with members: where among the fixed bytes its `DW_AT_sibling` stands, if that is a `DW_FORM_ref4`.
    pub(crate) sibling: Option<NonZeroU8>,
}

/// Why a walk may want to stop at a DIE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// No reason.
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
    attributes: 0,
    step_count: 0,
    has_children: false,
    interest: Interest::Opaque,
    sibling: None,
};

/// The abbreviations that one or more units use.
#[derive(Default)]
pub struct AbbreviationTable<'a> {
    /// The section from the table on.
    section: &'a [u8],
    dense: Vec<Abbreviation>,
    sparse: FxHashMap<u64, Abbreviation>,
    steps: Vec<Step>,
}

impl<'a> AbbreviationTable<'a> {
    /// Makes this the table at `offset`, up to the abbreviation with the code `until`, if one is
    /// given. What cannot be read ends the table.
    pub(crate) fn load(
        &mut self,
        section: &'a [u8],
        offset: DebugAbbrevOffset,
        encoding: Encoding,
        until: Option<u64>,
    ) {
        self.section = section.get(offset.0..).unwrap_or_default();
        self.dense.clear();
        self.sparse.clear();
        self.steps.clear();
        let sizes = Sizes::new(encoding);
        let mut reader = Reader::new(self.section, 0);
        while let Some(code) = self.load_one(&mut reader, &sizes) {
            if Some(code) == until {
                break;
            }
        }
    }

    fn load_one(&mut self, reader: &mut Reader<'_>, sizes: &Sizes) -> Option<u64> {
        let code = reader.uleb().filter(|code| *code != 0)?;
        let tag = DwTag(u16::try_from(reader.uleb()?).ok()?);
        let has_children = reader.unsigned(1)? != 0;
        let mut entry = Abbreviation {
            first_step: u32::try_from(self.steps.len()).ok()?,
            attributes: u32::try_from(reader.position).ok()?,
            has_children,
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
            let Specification { name, form } = specification(reader)?;
            if (name.0, form.0) == (0, 0) {
                break;
            }
            if form == dw::DW_FORM_implicit_const {
                reader.skip_leb()?;
            }
            has_code |= name == dw::DW_AT_low_pc || name == dw::DW_AT_ranges;
            if has_members && name == dw::DW_AT_sibling && form == dw::DW_FORM_ref4 && entry.step_count == 0 {
                // One too many, to leave room for "none".
                entry.sibling = u8::try_from(entry.fixed + 1).ok().and_then(NonZeroU8::new);
            }
            match sizes.of(form) {
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

    /// Calls `found` for each attribute with the value of a `DW_FORM_implicit_const`, until it says no. They come from
    /// the section: few DIEs are read.
    #[inline]
    pub(crate) fn for_each_specification(
        &self,
        abbreviation: &Abbreviation,
        mut found: impl FnMut(Specification, i64) -> Option<()>,
    ) -> Option<()> {
        let mut reader = Reader::new(self.section, abbreviation.attributes as usize);
        loop {
            let specification = specification(&mut reader)?;
            let Specification { name, form } = specification;
            if (name.0, form.0) == (0, 0) {
                return Some(());
            }
            let implicit = if form == dw::DW_FORM_implicit_const {
                reader.sleb()?
            } else {
                0
            };
            found(specification, implicit)?;
        }
    }
}

/// The next attribute of a list. Zeros end the list.
#[inline(always)]
fn specification(reader: &mut Reader<'_>) -> Option<Specification> {
    let (name, form) = reader.two_ulebs()?;
    Some(Specification {
        // A name beyond 16 bits is some vendor's, which nobody reads.
        name: DwAt(u16::try_from(name).unwrap_or(u16::MAX)),
        form: DwForm(u16::try_from(form).ok()?),
    })
}

/// The sizes of the forms that are no vendor's, by number.
struct Sizes {
    encoding: Encoding,
    standard: [Option<Size>; 0x40],
}

impl Sizes {
    fn new(encoding: Encoding) -> Self {
        let mut number = 0;
        let standard = std::array::from_fn(|_| {
            let form = DwForm(number);
            number += 1;
            form::size(form, encoding)
        });
        Self { encoding, standard }
    }

    #[inline]
    fn of(&self, form: DwForm) -> Option<Size> {
        match self.standard.get(usize::from(form.0)) {
            Some(size) => *size,
            None => form::size(form, self.encoding),
        }
    }
}

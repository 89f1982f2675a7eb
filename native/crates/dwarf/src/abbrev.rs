//! Abbreviation tables, compiled for two uses: to read the attributes of a DIE, and to skip DIEs fast.
//!
//! A walk over a unit stops at one DIE in a thousand. So each abbreviation has a *plan*: the number of bytes up to
//! the first value of variable size, then one step for each such value with the number of fixed bytes that follow
//! it. For most DIEs, skipping is one addition.

use std::num::NonZeroU8;

use gimli::{DebugAbbrevOffset, DwAt, DwForm, DwTag, Encoding, constants as dw};
use rustc_hash::FxHashMap;

use crate::form::{self, Size};
use crate::reader::Reader;

/// Name and form of an attribute.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Specification {
    pub(crate) name: DwAt,
    pub(crate) form: DwForm,
}

/// A value of variable size, and the number of fixed bytes after it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) size: Size,
    pub(crate) then: u32,
}

/// The content of one abbreviation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Abbreviation {
    /// Number of bytes before the first step.
    pub(crate) fixed: u32,
    first_step: u32,
    /// Offset in the table at which the list of attributes begins.
    attributes: u32,
    step_count: u16,
    pub(crate) has_children: bool,
    pub(crate) interest: Interest,
    /// For a type with members, the position of `DW_AT_sibling` among the fixed bytes plus one, if its form is
    /// `DW_FORM_ref4`.
    pub(crate) sibling: Option<NonZeroU8>,
}

/// The reason for which a walk may stop at a DIE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// A walk does not stop here.
    None,
    /// A `DW_TAG_subprogram` that has no code.
    Subprogram,
    /// A `DW_TAG_subprogram` with `DW_AT_low_pc` or `DW_AT_ranges`.
    SubprogramWithCode,
    /// A `DW_TAG_inlined_subroutine`.
    Inlined,
    /// The DIE has no known abbreviation, or its abbreviation has an unknown form: the end of this DIE cannot be
    /// found.
    Opaque,
}

/// Codes below this number are looked up in an array.
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

/// An abbreviation table, which one or more units use.
#[derive(Default)]
pub struct AbbreviationTable<'a> {
    /// Bytes of the section from the start of the table on.
    section: &'a [u8],
    dense: Vec<Abbreviation>,
    sparse: FxHashMap<u64, Abbreviation>,
    steps: Vec<Step>,
}

impl<'a> AbbreviationTable<'a> {
    /// Replaces the content by the table at `offset`, up to the abbreviation with the code `until`, if a code is
    /// given. The table ends at an abbreviation that cannot be read.
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
                // The stored value is one too large, so that zero stands for "none".
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

    /// Calls `found` for each attribute with the value of a `DW_FORM_implicit_const`, until `found` returns false.
    /// The attributes are read from the section again, because few DIEs are read in full.
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

/// Reads the next attribute of a list. Returns `None` at the zeros that end the list.
#[inline(always)]
fn specification(reader: &mut Reader<'_>) -> Option<Specification> {
    let (name, form) = reader.two_ulebs()?;
    Some(Specification {
        // A name beyond 16 bits belongs to a vendor, and nothing reads this attribute.
        name: DwAt(u16::try_from(name).unwrap_or(u16::MAX)),
        form: DwForm(u16::try_from(form).ok()?),
    })
}

/// Size classes of the standard forms, by number of the form.
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

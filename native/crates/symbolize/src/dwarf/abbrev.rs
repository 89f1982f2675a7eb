//! Abbreviation tables, compiled for two uses: reading a DIE's attributes, and stepping over DIEs fast.
//!
//! A walk over a unit looks at one DIE in a thousand. So each abbreviation carries a *plan*: the bytes up to
//! the first value of variable size, then one step for each such value with the fixed bytes that follow it.
//! Most DIEs are one addition.

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
    steps: (u32, u32),
    pub(crate) has_children: bool,
    pub(crate) interest: Interest,
    specifications: (u32, u32),
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
    /// A form is not known, so nothing behind this DIE can be found.
    Opaque,
}

/// Codes up to this one are looked up in an array.
const MAX_DENSE: u64 = 1 << 14;
const NO_ENTRY: u32 = u32::MAX;

/// The abbreviations that one or more units use.
#[derive(Default)]
pub(crate) struct AbbreviationTable {
    dense: Vec<u32>,
    sparse: FxHashMap<u64, u32>,
    entries: Vec<Abbreviation>,
    specifications: Vec<Specification>,
    steps: Vec<Step>,
}

impl AbbreviationTable {
    /// The table at `offset` of `.debug_abbrev`. What cannot be read ends it.
    pub(crate) fn parse(section: &[u8], offset: usize, encoding: Encoding) -> Self {
        let mut table = Self::default();
        let mut reader = Reader::new(section, offset);
        while table.parse_one(&mut reader, encoding).is_some() {}
        table
    }

    fn parse_one(&mut self, reader: &mut Reader<'_>, encoding: Encoding) -> Option<()> {
        let code = reader.uleb().filter(|code| *code != 0)?;
        let tag = DwTag(u16::try_from(reader.uleb()?).ok()?);
        let has_children = reader.unsigned(1)? != 0;
        let first = self.specifications.len();
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
            self.specifications.push(Specification { name, form, implicit });
        }
        let index = u32::try_from(self.entries.len()).ok()?;
        let entry = self.compile(tag, has_children, first, encoding)?;
        self.entries.push(entry);
        self.insert(code, index);
        Some(())
    }

    fn compile(&mut self, tag: DwTag, has_children: bool, first: usize, encoding: Encoding) -> Option<Abbreviation> {
        let specifications = &self.specifications[first..];
        let has_code = specifications
            .iter()
            .any(|s| s.name == dw::DW_AT_low_pc || s.name == dw::DW_AT_ranges);
        let mut interest = match tag {
            dw::DW_TAG_subprogram if has_code => Interest::SubprogramWithCode,
            dw::DW_TAG_subprogram => Interest::Subprogram,
            dw::DW_TAG_inlined_subroutine => Interest::Inlined,
            _ => Interest::None,
        };
        let first_step = self.steps.len();
        let mut fixed = 0u32;
        for specification in specifications {
            match form::size(specification.form, encoding) {
                Some(Size::Fixed(len)) => match self.steps[first_step..].last_mut() {
                    Some(step) => step.then = step.then.checked_add(u32::from(len))?,
                    None => fixed = fixed.checked_add(u32::from(len))?,
                },
                Some(size) => self.steps.push(Step { size, then: 0 }),
                None => interest = Interest::Opaque,
            }
        }
        Some(Abbreviation {
            fixed,
            steps: bounds(first_step, self.steps.len())?,
            has_children,
            interest,
            specifications: bounds(first, self.specifications.len())?,
        })
    }

    fn insert(&mut self, code: u64, index: u32) {
        if code >= MAX_DENSE {
            self.sparse.entry(code).or_insert(index);
            return;
        }
        let slot = usize::try_from(code).expect("below MAX_DENSE");
        if self.dense.len() <= slot {
            self.dense.resize(slot + 1, NO_ENTRY);
        }
        if self.dense[slot] == NO_ENTRY {
            self.dense[slot] = index;
        }
    }

    #[inline]
    pub(crate) fn get(&self, code: u64) -> Option<&Abbreviation> {
        let index = match usize::try_from(code).ok().and_then(|c| self.dense.get(c)) {
            Some(index) => *index,
            None => *self.sparse.get(&code)?,
        };
        self.entries.get(index as usize)
    }

    pub(crate) fn steps(&self, abbreviation: &Abbreviation) -> &[Step] {
        &self.steps[abbreviation.steps.0 as usize..abbreviation.steps.1 as usize]
    }

    pub(crate) fn specifications(&self, abbreviation: &Abbreviation) -> &[Specification] {
        let (start, end) = abbreviation.specifications;
        &self.specifications[start as usize..end as usize]
    }
}

fn bounds(start: usize, end: usize) -> Option<(u32, u32)> {
    Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))
}

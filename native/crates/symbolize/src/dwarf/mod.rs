//! DWARF read by LLVM's rules.

mod abbrev;
mod attributes;
mod cu_map;
mod die;
mod die_map;
mod form;
mod line;
mod range_attributes;
mod ranges;
mod reader;
mod unit;
mod walk;

pub(crate) use abbrev::{AbbreviationTable, Interest};
pub(crate) use attributes::attributes;
pub(crate) use cu_map::{CuMap, Piece};
pub(crate) use die::{FileReference, Resolver, UnitReader};
pub(crate) use die_map::{DieMap, overlaps};
pub(crate) use form::Value;
pub(crate) use line::{LineIndex, Location};
pub(crate) use ranges::Budget;
pub(crate) use reader::Reader;
pub(crate) use unit::{Space, SplitReference, Unit, read_units, section};
pub(crate) use walk::{Skip, walk};

//! DWARF read by LLVM's rules.

mod abbrev;
mod cu_map;
mod die;
mod die_map;
mod form;
mod line;
mod ranges;
mod reader;
mod unit;
mod walk;

pub(crate) use abbrev::Interest;
pub(crate) use cu_map::{CuMap, Piece};
pub(crate) use die::{Resolver, UnitReader};
pub(crate) use die_map::DieMap;
pub(crate) use line::{LineIndex, Location};
pub(crate) use ranges::Budget;
pub(crate) use unit::{Space, SplitReference, Unit, read_units};
pub(crate) use walk::{Skip, walk};

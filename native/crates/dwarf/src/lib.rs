//! Reads DWARF by LLVM's rules. The compiler, which is LLVM, finds the samples of a location only if a profile
//! describes the location as LLVM does.
//!
//! gimli reads headers of units and line programs, range lists, string and address tables, and indices of packages.
//! This crate has its own code where LLVM differs from gimli, and for the walk over all DIEs, which takes most of
//! the time; `native/DESIGN.md` has the reason for each file.
//!
//! Offsets have gimli's types, one type for each section, so that an offset into one section cannot be used for
//! another one.

mod abbrev;
mod attributes;
mod cu_map;
mod die;
mod die_map;
mod fault;
mod form;
mod line;
mod range_attributes;
mod ranges;
mod reader;
mod unit;
mod unit_index;
mod walk;

pub use abbrev::{AbbreviationTable, Interest};
pub use attributes::attributes;
pub use cu_map::{CuMap, Piece};
pub use die::{Description, FileReference, Resolver, Subroutine, UnitReader};
pub use die_map::{DieMap, overlaps};
pub use fault::{Fault, FaultNote, UnitFault};
pub use form::Value;
pub use line::{LineIndex, Location};
pub use range_attributes::RangeAttributes;
pub use ranges::Budget;
pub use reader::Reader;
pub use unit::{RangesBase, Slice, Space, SplitReference, Unit, read_units, section};
pub use unit_index::UnitIndex;
pub use walk::{Skip, Visited, walk};

//! The range of addresses at which a mapping is visible.

use crate::address::Avma;

/// Number of a mapping in [`AddressSpaces`](crate::AddressSpaces).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(pub u32);

/// The range of addresses at which a mapping is visible: all of the mapping, or the part that later mappings left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappedRange {
    /// First address of the range.
    pub start: Avma,
    /// First address after the range.
    pub end: Avma,
    /// Number of the mapping.
    pub map: MapId,
}

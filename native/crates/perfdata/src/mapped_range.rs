//! Where a mapping is visible.

use crate::address::Avma;

/// Number of a mapping in [`AddressSpaces`](crate::AddressSpaces).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId(pub u32);

/// Addresses at which a mapping is visible: all of it, or what later mappings left of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MappedRange {
    /// First address.
    pub start: Avma,
    /// First address after it.
    pub end: Avma,
    /// What is mapped.
    pub map: MapId,
}

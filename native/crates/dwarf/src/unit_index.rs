//! Numbers of units.

/// The number of a unit among those of its `.debug_info`, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitIndex(pub usize);

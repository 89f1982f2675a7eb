//! Reads the addresses of a DIE: `DW_AT_low_pc` with `DW_AT_high_pc`, or else `DW_AT_ranges` (DWARF 5 section
//! 2.17).
//!
//! Linkers leave tombstones for code that they discarded. They are read as LLVM reads them: only the all-ones
//! address is a tombstone. gimli also accepts -2 and drops empty ranges, which would change which DIEs have a
//! range.

use gimli::{DebugAddrIndex, RangeListsOffset, RawRngListEntry, SectionId};

use crate::fault::Fault;
use crate::form::Value;
use crate::range_attributes::RangeAttributes;
use crate::unit::{Space, Unit, section};

impl<'a> RangeAttributes<'a> {
    /// Writes the half-open ranges into `list`, which is cleared first. Keeps empty and reversed ranges. A list
    /// that cannot be read to its end, or that is longer than the rest of the budget, counts as empty.
    ///
    /// # Errors
    /// Fails if an address or a list cannot be read.
    pub fn read(
        &self,
        space: &Space<'a>,
        unit: &Unit,
        budget: &mut Budget,
        list: &mut Vec<(u64, u64)>,
    ) -> Result<(), Fault> {
        list.clear();
        if let Some(range) = self.low_and_high(space, unit)? {
            list.push(range);
            return Ok(());
        }
        if let Some(offset) = self.list_offset(space, unit)? {
            read_list(space, unit, offset, budget, list).inspect_err(|_| list.clear())?;
        }
        Ok(())
    }

    /// Returns `Some` if both attributes are present and valid. `DW_AT_ranges` is then ignored.
    fn low_and_high(&self, space: &Space<'a>, unit: &Unit) -> Result<Option<(u64, u64)>, Fault> {
        let (Some(low), Some(high)) = (self.low_pc, self.high_pc) else {
            return Ok(None);
        };
        let Some(low) = space.address(unit, low)?.filter(|low| *low != tombstone(unit)) else {
            return Ok(None);
        };
        let high = match high {
            Value::Constant(len) | Value::ConstantOrOffset(len) => Some(low.wrapping_add(len)),
            address => space.address(unit, address)?,
        };
        Ok(high.map(|high| (low, high)))
    }

    fn list_offset(&self, space: &Space<'a>, unit: &Unit) -> Result<Option<RangeListsOffset>, Fault> {
        let offset = match self.ranges {
            Some(Value::RangeListIndex(index)) => return space.range_list(unit, index).map(Some),
            Some(Value::SectionOffset(offset)) => usize::try_from(offset).ok(),
            Some(Value::ConstantOrOffset(offset)) if unit.encoding.version < 4 => usize::try_from(offset).ok(),
            _ => None,
        };
        Ok(offset.map(RangeListsOffset))
    }
}

/// Number of entries of range lists that may still be read. Lists can be shared, so without a limit a small file
/// could have its largest list read once for each DIE.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    /// Number of entries for each byte of a unit. A DIE with a list takes several bytes, and lists rarely have ten
    /// entries.
    const PER_BYTE: usize = 64;

    /// Makes the budget for the DIEs of one unit.
    pub fn for_dies(unit: &[u8]) -> Self {
        Self(unit.len().saturating_mul(Self::PER_BYTE))
    }

    /// Makes the budget for the DIEs of all units together: each entry takes a byte of a section, and no two units
    /// share a list.
    pub fn for_units(space: &Space<'_>) -> Self {
        let ranges = section(*space.dwarf.ranges.debug_ranges()).len();
        let lists = section(*space.dwarf.ranges.debug_rnglists()).len();
        Self(ranges.saturating_add(lists))
    }

    fn spend(&mut self) -> Result<(), Fault> {
        let fault = || {
            Fault::new(
                SectionId::DebugRngLists,
                "has lists that are longer than all of their entries",
            )
        };
        self.0 = self.0.checked_sub(1).ok_or_else(fault)?;
        Ok(())
    }
}

fn tombstone(unit: &Unit) -> u64 {
    match unit.encoding.address_size {
        0 => 0,
        size @ 1..8 => (1 << (u32::from(size) * 8)) - 1,
        _ => u64::MAX,
    }
}

fn read_list(
    space: &Space<'_>,
    unit: &Unit,
    RangeListsOffset(offset): RangeListsOffset,
    budget: &mut Budget,
    list: &mut Vec<(u64, u64)>,
) -> Result<(), Fault> {
    let (section, offset) = if unit.encoding.version < 5 {
        (SectionId::DebugRanges, offset.wrapping_add(unit.ranges_base.0))
    } else {
        (SectionId::DebugRngLists, offset)
    };
    let ends = |_| Fault::new(section, "ends amid a list of addresses");
    let tombstone = tombstone(unit);
    let mut base = unit.base_address;
    let mut fault = None;
    let mut pooled = |index: DebugAddrIndex| {
        let address = space.address(unit, Value::AddressIndex(index));
        address.unwrap_or_else(|found| {
            fault = Some(found);
            None
        })
    };
    let lists = &space.dwarf.ranges;
    let mut entries = lists
        .raw_ranges(RangeListsOffset(offset), unit.encoding)
        .map_err(ends)?;
    while let Some(entry) = entries.next().map_err(ends)? {
        budget.spend()?;
        let (low, high) = match entry {
            RawRngListEntry::BaseAddress { addr } => {
                base = Some(addr);
                continue;
            }
            RawRngListEntry::BaseAddressx { addr } => {
                base = Some(pooled(addr).unwrap_or(addr.0 as u64));
                continue;
            }
            RawRngListEntry::AddressOrOffsetPair { begin, end } | RawRngListEntry::OffsetPair { begin, end } => {
                if begin == tombstone || base == Some(tombstone) {
                    continue;
                }
                let base = base.unwrap_or(0);
                (begin.wrapping_add(base), end.wrapping_add(base))
            }
            RawRngListEntry::StartxEndx { begin, end } => (pooled(begin).unwrap_or(0), pooled(end).unwrap_or(0)),
            RawRngListEntry::StartxLength { begin, length } => {
                let low = pooled(begin).unwrap_or(0);
                (low, low.wrapping_add(length))
            }
            RawRngListEntry::StartEnd { begin, end } => (begin, end),
            RawRngListEntry::StartLength { begin, length } => (begin, begin.wrapping_add(length)),
        };
        // The old lists mark discarded code in the offset, the new lists in the address.
        if unit.encoding.version < 5 || low != tombstone {
            list.push((low, high));
        }
    }
    fault.map_or(Ok(()), Err)
}

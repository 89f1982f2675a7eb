//! Maps addresses to units.
//!
//! The rules are LLVM's. `.debug_aranges` states the addresses of the units that it mentions, and the DIE of a unit
//! states those of every other unit. If several units claim an address, the unit of the address just before keeps
//! it; otherwise the first unit in the file gets it.

use std::collections::BTreeMap;

use gimli::DebugInfoOffset;

use crate::fault::Fault;
use crate::ranges::Budget;
use crate::reader::Reader;
use crate::unit::{Space, section};
use crate::unit_index::UnitIndex;

/// Sorted, disjoint, half-open ranges, each with the number of its unit.
#[derive(Debug, Default)]
pub struct CuMap {
    pieces: Vec<Piece>,
}

/// A range of addresses that belongs to one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// First address.
    pub start: u64,
    /// Address after the last one.
    pub end: u64,
    /// Number of the unit.
    pub unit: UnitIndex,
}

impl CuMap {
    /// Builds the map of a space. Also returns the first fault that hides the addresses of a unit.
    pub fn build(space: &Space<'_>) -> (Self, Option<Fault>) {
        let mut claims = Vec::new();
        let mut hidden = None;
        let mut mentioned = vec![false; space.units.len()];
        for (offset, start, end) in read_aranges(section(space.dwarf.debug_aranges)) {
            let Some(unit) = space.unit_containing(offset) else {
                hidden.get_or_insert(Fault::NO_UNIT);
                continue;
            };
            if space.units[unit.0].offset == offset {
                mentioned[unit.0] = true;
            }
            claims.push(Piece { start, end, unit });
        }
        let own = space.units.iter().enumerate();
        let own = own.filter(|(index, unit)| !mentioned[*index] && !unit.is_type);
        let mut budget = Budget::for_units(space);
        let mut list = Vec::new();
        for (index, unit) in own {
            let index = UnitIndex(index);
            if let Err(fault) = unit.ranges.read(space, unit, &mut budget, &mut list) {
                hidden.get_or_insert(fault);
            }
            claims.extend(list.iter().map(|&(start, end)| Piece {
                start,
                end,
                unit: index,
            }));
        }
        (Self::resolve(&claims), hidden)
    }

    /// Cuts overlapping claims at all their ends, and gives each piece to one unit.
    fn resolve(claims: &[Piece]) -> Self {
        let mut ends: Vec<(u64, UnitIndex, bool)> = Vec::with_capacity(claims.len() * 2);
        for claim in claims.iter().filter(|claim| claim.start < claim.end) {
            ends.push((claim.start, claim.unit, true));
            ends.push((claim.end, claim.unit, false));
        }
        ends.sort_unstable();
        let mut pieces: Vec<Piece> = Vec::new();
        // Units that claim the current address, with the number of their claims.
        let mut covering: BTreeMap<UnitIndex, usize> = BTreeMap::new();
        let mut previous = 0;
        // The order of starts and ends at one address does not matter, so a count may temporarily be -1.
        let mut index = 0;
        while index < ends.len() {
            let address = ends[index].0;
            if let Some((&first, _)) = covering.first_key_value() {
                match pieces.last_mut() {
                    Some(last) if last.end == previous && covering.contains_key(&last.unit) => {
                        last.end = address;
                    }
                    _ => pieces.push(Piece {
                        start: previous,
                        end: address,
                        unit: first,
                    }),
                }
            }
            let here = ends[index..].iter().take_while(|end| end.0 == address);
            let count = here.clone().count();
            for (_, unit, _) in here.clone().filter(|end| end.2) {
                *covering.entry(*unit).or_default() += 1;
            }
            for (_, unit, _) in here.filter(|end| !end.2) {
                let claims = covering.entry(*unit).or_default();
                *claims = claims.saturating_sub(1);
                if *claims == 0 {
                    covering.remove(unit);
                }
            }
            previous = address;
            index += count;
        }
        Self { pieces }
    }

    /// Returns the unit that an address belongs to.
    #[must_use]
    pub fn unit_at(&self, address: u64) -> Option<UnitIndex> {
        let behind = self.pieces.partition_point(|piece| piece.start <= address);
        let piece = self.pieces.get(behind.checked_sub(1)?)?;
        (address < piece.end).then_some(piece.unit)
    }

    /// Returns the parts of the sorted, half-open `wanted` ranges that belong to a unit.
    pub fn intersect(&self, wanted: impl Iterator<Item = (u64, u64)>) -> Vec<Piece> {
        let mut owned = Vec::new();
        for (low, high) in wanted {
            let first = self.pieces.partition_point(|piece| piece.end <= low);
            let reached = self.pieces[first..].iter();
            for piece in reached.take_while(|piece| piece.start < high) {
                owned.push(Piece {
                    start: piece.start.max(low),
                    end: piece.end.min(high),
                    unit: piece.unit,
                });
            }
        }
        owned
    }
}

/// Reads the `(unit offset, start, end)` of `.debug_aranges` (DWARF 5 section 6.1.2). Stops at the first malformed
/// set.
fn read_aranges(section: &[u8]) -> Vec<(DebugInfoOffset, u64, u64)> {
    let mut entries = Vec::new();
    let mut reader = Reader::new(section, 0);
    while !reader.is_empty() {
        let before = entries.len();
        if read_arange_set(&mut reader, section, &mut entries).is_none() {
            entries.truncate(before);
            break;
        }
    }
    entries
}

fn read_arange_set(
    reader: &mut Reader<'_>,
    section: &[u8],
    entries: &mut Vec<(DebugInfoOffset, u64, u64)>,
) -> Option<()> {
    let start = reader.position;
    let (word, len) = match reader.unsigned(4)? {
        0xffff_ffff => (8, reader.unsigned(8)?),
        0xffff_fff0.. => return None,
        len => (4, len),
    };
    let end = reader.position.checked_add(usize::try_from(len).ok()?)?;
    if end > section.len() {
        return None;
    }
    let _version = reader.unsigned(2)?;
    let unit = DebugInfoOffset(usize::try_from(reader.unsigned(word)?).ok()?);
    let address_size = usize::try_from(reader.unsigned(1)?).ok()?;
    let segment_size = reader.unsigned(1)?;
    if !matches!(address_size, 4 | 8) || segment_size != 0 {
        return None;
    }
    // The first pair is aligned to the size of a pair, counted from the start of the set.
    let pair = address_size * 2;
    let header = (reader.position - start).next_multiple_of(pair);
    reader.position = start.checked_add(header)?;
    if reader.position >= end || !(end - reader.position).is_multiple_of(pair) {
        return None;
    }
    let mut last = (1, 1);
    while reader.position < end {
        let address = reader.unsigned(address_size)?;
        let len = reader.unsigned(address_size)?;
        last = (address, len);
        entries.push((unit, address, address.wrapping_add(len)));
    }
    // The pair (0, 0) ends the set. Old compilers also wrote such pairs in between.
    (last == (0, 0)).then_some(())
}

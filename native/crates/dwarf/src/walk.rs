//! Walks over the DIEs of a unit, in the order in which they are stored.

use gimli::{Encoding, UnitOffset};

use crate::abbrev::{Abbreviation, AbbreviationTable, Interest};
use crate::fault::Fault;
use crate::form::{self, Size};
use crate::reader::Reader;
use crate::unit::Unit;

/// A DIE at which a walk stops.
#[derive(Debug, Clone, Copy)]
pub struct Visited {
    /// Offset of the DIE in its unit.
    pub offset: UnitOffset,
    /// Depth of the DIE. The DIE of the unit has depth 0.
    pub depth: u32,
    /// The smallest depth that any DIE since the last visit can have had. A DIE that was visited at this depth or
    /// deeper is no ancestor of this one.
    pub closed: u32,
    /// The reason for which the walk stops at the DIE.
    pub interest: Interest,
}

/// The DIEs that a walk may skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// The walk skips no DIE.
    Nothing,
    /// The walk skips DIEs inside of types. In C these are members and parameters, never functions.
    InsideTypes,
}

impl Skip {
    /// Returns the DIEs that a search for functions may skip in the unit.
    pub fn of(unit: &Unit) -> Self {
        if unit.is_c { Self::InsideTypes } else { Self::Nothing }
    }
}

/// Calls `visit` for each DIE whose abbreviation is `wanted`. `unit` has the bytes of the unit, from its header to
/// its end. As LLVM's reader, stops at the first DIE that cannot be read; the visits before count.
///
/// # Errors
/// Returns the fault that keeps that DIE from being read.
pub fn walk(
    unit: &[u8],
    root: UnitOffset,
    encoding: Encoding,
    table: &AbbreviationTable<'_>,
    skip: Skip,
    wanted: impl Fn(Interest) -> bool,
    mut visit: impl FnMut(Visited),
) -> Result<(), Fault> {
    let mut reader = Reader::new(unit, root.0);
    let mut depth = 0;
    let mut closed = 0;
    loop {
        let offset = reader.position;
        let Some(code) = reader.uleb() else {
            // A list of children that ends with the unit needs no end of its own.
            return if offset == unit.len() {
                Ok(())
            } else {
                Err(Fault::unit_ends())
            };
        };
        if code == 0 {
            // This is the end of a list of children. After the end of the list of the unit's DIE there is nothing.
            if depth <= 1 {
                return Ok(());
            }
            depth -= 1;
            closed = closed.min(depth);
            continue;
        }
        let abbreviation = table.get(code).ok_or_else(Fault::no_abbreviation)?;
        let attributes = reader.position;
        if abbreviation.interest == Interest::Opaque {
            return Err(Fault::no_abbreviation());
        }
        let skipped = skip_attributes(&mut reader, abbreviation, table, encoding);
        if skipped.is_none() || reader.position > unit.len() {
            return Err(Fault::unit_ends());
        }
        if wanted(abbreviation.interest) {
            visit(Visited {
                offset: UnitOffset(offset),
                depth,
                closed: closed.min(depth),
                interest: abbreviation.interest,
            });
            closed = depth + u32::from(abbreviation.has_children);
        }
        if abbreviation.has_children {
            if skip == Skip::InsideTypes
                && let Some(place) = abbreviation.sibling
                && let Some(next) = sibling(unit, attributes + usize::from(place.get()) - 1)
                && (reader.position..=unit.len()).contains(&next)
            {
                reader.position = next;
                continue;
            }
            depth += 1;
        } else if depth == 0 {
            return Ok(());
        }
    }
}

/// Reads the sibling, a `DW_FORM_ref4`.
fn sibling(unit: &[u8], at: usize) -> Option<usize> {
    let offset = Reader::new(unit, at).unsigned(4)?;
    usize::try_from(offset).ok()
}

#[inline(always)]
fn skip_attributes(
    reader: &mut Reader<'_>,
    abbreviation: &Abbreviation,
    table: &AbbreviationTable<'_>,
    encoding: Encoding,
) -> Option<()> {
    reader.skip(abbreviation.fixed as usize);
    for step in table.steps(abbreviation) {
        match step.size {
            Size::Leb => reader.skip_leb()?,
            // This is the form of location expressions.
            Size::BlockLeb => {
                let len = reader.uleb()?;
                reader.skip(usize::try_from(len).ok()?);
            }
            size => form::skip(reader, size, encoding)?,
        }
        reader.skip(step.then as usize);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gimli::{DebugAbbrev, DebugInfo, LittleEndian, constants as dw};
    use proptest::prelude::*;

    /// One or more forms of each size class that both readers know.
    const FORMS: [gimli::DwForm; 16] = [
        dw::DW_FORM_addr,
        dw::DW_FORM_data1,
        dw::DW_FORM_data2,
        dw::DW_FORM_strx3,
        dw::DW_FORM_data4,
        dw::DW_FORM_data8,
        dw::DW_FORM_data16,
        dw::DW_FORM_flag_present,
        dw::DW_FORM_udata,
        dw::DW_FORM_string,
        dw::DW_FORM_block1,
        dw::DW_FORM_block2,
        dw::DW_FORM_exprloc,
        dw::DW_FORM_ref_addr,
        dw::DW_FORM_sec_offset,
        dw::DW_FORM_indirect,
    ];
    const TAGS: [gimli::DwTag; 4] = [
        dw::DW_TAG_subprogram,
        dw::DW_TAG_inlined_subroutine,
        dw::DW_TAG_lexical_block,
        dw::DW_TAG_structure_type,
    ];

    /// Builds a DWARF 5 unit with these DIEs.
    fn unit(dies: &[u8]) -> Vec<u8> {
        let len = u32::try_from(dies.len() + 8).unwrap();
        [&len.to_le_bytes()[..], &[5, 0, 1, 8, 0, 0, 0, 0], dies].concat()
    }

    /// Returns the DIEs that gimli finds, up to the DIE at which it stops.
    fn walk_with_gimli(abbreviations: &[u8], unit: &[u8]) -> Vec<(usize, isize)> {
        let header = DebugInfo::new(unit, LittleEndian).units().next().unwrap().unwrap();
        let abbreviations = DebugAbbrev::new(abbreviations, LittleEndian);
        let mut found = Vec::new();
        let Ok(abbreviations) = header.abbreviations(&abbreviations) else {
            return found;
        };
        let mut entries = header.entries_raw(&abbreviations, None).unwrap();
        loop {
            let (offset, depth) = (entries.next_offset().0, entries.next_depth());
            let Ok(abbreviation) = entries.read_abbreviation() else {
                return found;
            };
            if let Some(abbreviation) = abbreviation {
                if entries.skip_attributes(abbreviation.attributes()).is_err() {
                    return found;
                }
                if matches!(
                    abbreviation.tag(),
                    dw::DW_TAG_subprogram | dw::DW_TAG_inlined_subroutine
                ) {
                    found.push((offset, depth));
                }
            }
            if entries.next_depth() <= 0 || entries.is_empty() {
                return found;
            }
        }
    }

    fn walk_with_our_reader(abbreviations: &[u8], unit: &[u8], skip: Skip) -> Vec<(usize, isize)> {
        let header = DebugInfo::new(unit, LittleEndian).units().next().unwrap().unwrap();
        let mut table = AbbreviationTable::default();
        table.load(abbreviations, gimli::DebugAbbrevOffset(0), header.encoding(), None);
        let mut found = Vec::new();
        let root = UnitOffset(header.size_of_header());
        let wanted = |interest| interest != Interest::None;
        let _ = walk(unit, root, header.encoding(), &table, skip, wanted, |die| {
            found.push((die.offset.0, isize::try_from(die.depth).unwrap()));
        });
        found
    }

    proptest! {
        #[test]
        fn the_walk_visits_the_dies_of_gimli(
            declared in prop::collection::vec(
                (0usize..4, any::<bool>(), prop::collection::vec(0usize..16, 0..6)),
                1..6,
            ),
            dies in prop::collection::vec(prop_oneof![3 => 0u8..6, 1 => any::<u8>()], 1..200),
        ) {
            let mut abbreviations = Vec::new();
            for (code, (tag, children, forms)) in (1u8..).zip(&declared) {
                let tag = u8::try_from(TAGS[*tag].0).unwrap();
                abbreviations.extend([code, tag, u8::from(*children)]);
                for form in forms {
                    abbreviations.extend([3, u8::try_from(FORMS[*form].0).unwrap()]);
                }
                abbreviations.extend([0, 0]);
            }
            abbreviations.push(0);
            let unit = unit(&dies);
            prop_assert_eq!(walk_with_our_reader(&abbreviations, &unit, Skip::Nothing), walk_with_gimli(&abbreviations, &unit));
        }
    }

    #[test]
    fn the_inside_of_types_can_be_skipped_but_only_forwards() {
        let abbreviations = [
            [1, 0x11, 1, 0, 0].as_slice(),
            &[2, 0x13, 1, 0x01, 0x13, 0, 0],
            &[3, 0x2e, 0, 0, 0],
            &[0],
        ];
        let abbreviations = abbreviations.concat();
        // The DIE of the unit is at offset 12. The type is at 13, with a function inside at 18. Another function is
        // at 20, after the type.
        for (sibling, expected) in [
            (20, vec![(20, 1)]),
            (13, vec![(18, 2), (20, 1)]),
            (99, vec![(18, 2), (20, 1)]),
        ] {
            let unit = unit(&[1, 2, sibling, 0, 0, 0, 3, 0, 3, 0]);
            assert_eq!(walk_with_our_reader(&abbreviations, &unit, Skip::InsideTypes), expected);
            assert_eq!(
                walk_with_our_reader(&abbreviations, &unit, Skip::Nothing),
                [(18, 2), (20, 1)]
            );
        }
    }
}

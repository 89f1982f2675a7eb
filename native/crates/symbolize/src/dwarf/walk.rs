//! The walk over a unit's DIEs in the order they are stored.

use gimli::Encoding;

use super::abbrev::{Abbreviation, AbbreviationTable, Interest};
use super::form::{self, Size};
use super::reader::Reader;

/// A DIE at which a walk stops.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visited {
    /// From the unit's header.
    pub(crate) offset: usize,
    /// The unit's own DIE is at depth 0.
    pub(crate) depth: u32,
    /// The smallest depth at which a DIE can have stood since the last visit: what was visited there or deeper is no
    /// ancestor of this one.
    pub(crate) closed: u32,
    pub(crate) interest: Interest,
}

/// Calls `visit` for each DIE whose abbreviation is `wanted`. `unit` is the unit from its header to its end.
/// Like LLVM's reader, ends at the first DIE that cannot be read and keeps what came before it.
pub(crate) fn walk(
    unit: &[u8],
    root: usize,
    encoding: Encoding,
    table: &AbbreviationTable,
    wanted: impl Fn(Interest) -> bool,
    mut visit: impl FnMut(Visited),
) {
    let mut reader = Reader::new(unit, root);
    let mut depth = 0;
    let mut closed = 0;
    loop {
        let offset = reader.position;
        let Some(code) = reader.uleb() else { return };
        if code == 0 {
            // The end of a list of children; behind the unit DIE's own there is nothing.
            if depth <= 1 {
                return;
            }
            depth -= 1;
            closed = closed.min(depth);
            continue;
        }
        let Some(abbreviation) = table.get(code) else {
            return;
        };
        if abbreviation.interest == Interest::Opaque
            || skip_attributes(&mut reader, abbreviation, table, encoding).is_none()
            || reader.position > unit.len()
        {
            return;
        }
        if wanted(abbreviation.interest) {
            visit(Visited {
                offset,
                depth,
                closed: closed.min(depth),
                interest: abbreviation.interest,
            });
            closed = depth + u32::from(abbreviation.has_children);
        }
        if abbreviation.has_children {
            depth += 1;
        } else if depth == 0 {
            return;
        }
    }
}

#[inline]
fn skip_attributes(
    reader: &mut Reader<'_>,
    abbreviation: &Abbreviation,
    table: &AbbreviationTable,
    encoding: Encoding,
) -> Option<()> {
    reader.skip(abbreviation.fixed as usize);
    for step in table.steps(abbreviation) {
        match step.size {
            Size::Leb => reader.skip_leb()?,
            // Location expressions.
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

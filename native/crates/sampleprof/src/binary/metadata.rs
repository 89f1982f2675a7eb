//! Checksums and attributes: a tree of the same shape as the functions (LLVM: `readFuncMetadata`).

use super::decoder::call_site;
use super::{Cursor, Decoder};
use crate::extbinary::flag;
use crate::read::ReadErrorKind;
use crate::{FunctionSamples, MAX_INLINE_DEPTH};

/// Fewest bytes of an inlinee: line, discriminator, name, number of inlinees.
const MIN_INLINEE_SIZE: usize = 4;

/// Gives `functions`, at `positions` by name, their metadata. That of functions without counts is skipped.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    decoder: Decoder<'_>,
    flags: u64,
    functions: &mut [FunctionSamples],
    positions: &[usize],
) -> Result<(), ReadErrorKind> {
    let fields = Fields {
        decoder,
        checksums: flags & flag::PROBE_BASED != 0,
        attributes: flags & flag::HAS_ATTRIBUTE != 0,
    };
    while !cursor.is_at_end() {
        let name = decoder.name(cursor)?;
        fields.read(cursor, functions.get_mut(positions[name.index()]), 0)?;
    }
    Ok(())
}

/// Which fields there are.
struct Fields<'a> {
    decoder: Decoder<'a>,
    checksums: bool,
    attributes: bool,
}

impl Fields<'_> {
    /// What follows the name of `function`.
    fn read(
        &self,
        cursor: &mut Cursor<'_>,
        mut function: Option<&mut FunctionSamples>,
        depth: usize,
    ) -> Result<(), ReadErrorKind> {
        if depth > MAX_INLINE_DEPTH {
            return Err(ReadErrorKind::TooDeep);
        }
        if self.checksums {
            let checksum = cursor.number()?;
            if let Some(function) = &mut function {
                function.checksum = Some(checksum);
            }
        }
        if self.attributes {
            let attributes = cursor.number32()?;
            if let Some(function) = &mut function {
                function.attributes = attributes;
            }
        }
        for _ in 0..cursor.count("inlined functions", MIN_INLINEE_SIZE)? {
            let location = call_site(cursor)?;
            let name = self.decoder.name(cursor)?;
            let callee = function.as_mut().and_then(|function| {
                let found = function.inlinees.binary_search_by(|(at, callee)| {
                    at.cmp(&location)
                        .then_with(|| self.decoder.names.compare(callee.name, name))
                });
                found.ok().map(|position| &mut function.inlinees[position].1)
            });
            self.read(cursor, callee, depth + 1)?;
        }
        Ok(())
    }
}

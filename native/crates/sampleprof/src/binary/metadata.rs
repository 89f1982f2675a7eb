//! Checksums and attributes: a tree of the same shape as the functions (LLVM: `readFuncMetadata`).

use std::num::NonZeroU64;

use super::decoder::call_site;
use super::{Cursor, Decoder};
use crate::extbinary::flag;
use crate::positions::Positions;
use crate::read::ReadErrorKind;
use crate::{FunctionSamples, MAX_INLINE_DEPTH};

/// Smallest size of an inlinee in bytes: line, discriminator, name, number of inlinees.
const MIN_INLINEE_SIZE: usize = 4;

/// Reads the metadata, and stores it in the functions of `functions` at `positions`. Skips the metadata of functions
/// without counts.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    decoder: Decoder<'_>,
    flags: u64,
    functions: &mut [FunctionSamples],
    positions: &Positions,
) -> Result<(), ReadErrorKind> {
    let fields = Fields {
        decoder,
        checksums: flags & flag::PROBE_BASED != 0,
        attributes: flags & flag::HAS_ATTRIBUTE != 0,
    };
    while !cursor.is_at_end() {
        let key = decoder.key(cursor)?;
        let function = positions.get(key).map(|position| &mut functions[position]);
        fields.read(cursor, function, 0)?;
    }
    Ok(())
}

/// The fields that the metadata of a function has.
struct Fields<'a> {
    decoder: Decoder<'a>,
    checksums: bool,
    attributes: bool,
}

impl Fields<'_> {
    /// Reads the metadata that follows the name of `function`.
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
                function.checksum = NonZeroU64::new(checksum);
            }
        }
        if self.attributes {
            let attributes = cursor.number32()?;
            if let Some(function) = &mut function {
                function.attributes = attributes;
            }
        }
        if self.decoder.contexts.is_some() {
            // Nothing is inlined into a function with a context, so the file does not have the number of inlinees.
            return Ok(());
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

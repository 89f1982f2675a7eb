//! Preambles: the bytes that a kernel keeps before its functions, to fill in itself. They are padding that counts
//! the depth of calls, or checks of indirect calls (x86; Linux: arch/x86/kernel/callthunks.c, FineIBT in
//! arch/x86/kernel/alternative.c).
//!
//! The kernel then redirects calls into the preamble, and execution goes on from the preamble into the function. In
//! the file a preamble is padding, or the hash of the type of the function, and has a symbol of its own.

use crate::{Image, ImageKind, Symbol};

/// Prefixes of the names of preamble symbols. The name of the function follows (objtool, clang with
/// `-fsanitize=kcfi`).
const PREFIXES: [&[u8]; 2] = [b"__pfx_", b"__cfi_"];
/// Length of the longest preamble, in bytes: functions are aligned to 64 bytes at most (Linux:
/// CONFIG_FUNCTION_ALIGNMENT_64B).
const MAX_LENGTH: u64 = 64;
/// Number of symbols that may lie between the symbol of a preamble and the symbol of its function.
const MAX_BETWEEN: usize = 8;

/// The preambles of the functions of an image: for each, the offset of its first byte and the offset of the
/// function. Ascending.
#[derive(Debug, Default)]
pub(super) struct Preambles(Box<[(u32, u32)]>);

impl Preambles {
    /// Finds the preambles of a kernel or module. `offset_of` returns the offset of a symbol that lies in code.
    pub(super) fn find(image: &Image, offset_of: impl Fn(&Symbol) -> Option<u32>) -> Self {
        if !matches!(image.kind(), ImageKind::Kernel | ImageKind::Module) {
            return Self::default();
        }
        let symbols = image.symbols();
        let mut found = Vec::new();
        for (index, symbol) in symbols.iter().enumerate() {
            let name = image.symbol_name(symbol);
            let Some(function) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(*prefix)) else {
                continue;
            };
            let follows = |other: &&Symbol| {
                let distance = other.svma.0.wrapping_sub(symbol.svma.0);
                other.section == symbol.section && (1..=MAX_LENGTH).contains(&distance)
            };
            let near = symbols[index + 1..].iter().take(MAX_BETWEEN);
            let entry = near.filter(follows).find(|other| image.symbol_name(other) == function);
            found.extend(offset_of(symbol).zip(entry.and_then(&offset_of)));
        }
        found.sort_unstable();
        found.dedup_by_key(|(start, _)| *start);
        Self(found.into())
    }

    /// Returns the offset of the function whose preamble has the byte at `offset`.
    pub(super) fn function_of_preamble(&self, offset: u32) -> Option<u32> {
        let after = self.0.partition_point(|(start, _)| *start <= offset);
        let &(_, function) = self.0.get(after.checked_sub(1)?)?;
        (offset < function).then_some(function)
    }
}

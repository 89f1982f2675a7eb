//! What a kernel has before functions for itself to fill in: padding that counts the depth of calls, and checks of indirect calls (x86;
//! Linux: arch/x86/kernel/callthunks.c, FineIBT in arch/x86/kernel/alternative.c).
//!
//! Calls are then redirected to somewhere in there, and execution goes on into the function. In the file it is padding, or the hash
//! of the function's type, and has a symbol of its own.

use crate::{Image, ImageKind, Symbol};

/// What the symbols of preambles start with; the function's name follows (objtool, clang with `-fsanitize=kcfi`).
const PREFIXES: [&[u8]; 2] = [b"__pfx_", b"__cfi_"];
/// The longest preamble: functions are aligned to 64 bytes at most (Linux: CONFIG_FUNCTION_ALIGNMENT_64B).
const MAX_LENGTH: u64 = 64;
/// How many symbols may lie between that of a preamble and that of its function.
const MAX_BETWEEN: usize = 8;

/// The preambles of an image's functions, as offsets of their first byte and of the function. Ascending.
#[derive(Debug, Default)]
pub(super) struct Preambles(Box<[(u32, u32)]>);

impl Preambles {
    /// Finds those of a kernel or module. `offset_of` tells the offset of a symbol that is in code.
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

    /// The function whose preamble has the byte at `offset`.
    pub(super) fn function_behind(&self, offset: u32) -> Option<u32> {
        let after = self.0.partition_point(|(start, _)| *start <= offset);
        let &(_, function) = self.0.get(after.checked_sub(1)?)?;
        (offset < function).then_some(function)
    }
}

//! Decodes x86 instructions in 64-bit and 32-bit mode, with the boundaries and classes that LLVM gives them.

mod decode;
mod opcodes;
mod prefixes;

use super::class::{DecodePolicy, Step};
use opcodes::{MODE_32, MODE_64};

/// Decodes x86 code linearly; see [`super::walk`].
pub(super) fn walk(
    is_64_bit: bool,
    policy: DecodePolicy,
    bytes: &[u8],
    start: usize,
    end: usize,
    mut visit: impl FnMut(usize, Step),
) {
    let opcodes = if is_64_bit { &MODE_64 } else { &MODE_32 };
    let mut position = start;
    while position < end {
        let (length, kind) = decode::decode(opcodes, is_64_bit, &bytes[position..]);
        let step = Step {
            // The cast loses no bits: the length is at most `prefixes::MAX_LENGTH`.
            length: length as u8,
            class: kind.map(|kind| kind.class.instruction_class(policy.jmpabs)),
        };
        visit(position, step);
        position += length;
    }
}

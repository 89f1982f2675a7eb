//! Instruction classes, and the decoders that determine them.

mod aarch64;
mod class;
mod direct_target;
mod x86;

pub(crate) use class::Step;
pub use class::{DecodePolicy, InstructionClass};
pub(crate) use direct_target::direct_target;

use crate::kind::Arch;

/// Decodes linearly from `start` while the position is below `end`. Calls `visit` with the position and the
/// [`Step`] there. The last instruction may reach beyond `end`, up to the end of `bytes`.
pub(crate) fn walk(
    arch: Arch,
    policy: DecodePolicy,
    bytes: &[u8],
    start: usize,
    end: usize,
    visit: impl FnMut(usize, Step),
) {
    let end = end.min(bytes.len());
    match arch {
        Arch::X86_64 => x86::walk(true, policy, bytes, start, end, visit),
        Arch::X86 => x86::walk(false, policy, bytes, start, end, visit),
        Arch::AArch64 => aarch64::walk(policy, bytes, start, end, visit),
    }
}

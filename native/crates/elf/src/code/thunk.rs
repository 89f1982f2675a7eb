//! Code that consists of one direct jump.

use super::Code;
use crate::isa;
use crate::kind::Arch;
use crate::{InstructionClass, Svma};

impl Code<'_> {
    /// Returns the target of the code at `svma` if the code is a direct jump, with or without a landing pad before
    /// it. Such code is an entry of a jump table of `-fsanitize=cfi-icall`, or another thunk. llvm-profgen does not
    /// look for thunks.
    pub fn jump_at(&self, svma: Svma) -> Option<Svma> {
        if !self.policy.jump_tables {
            return None;
        }
        let mut jump = svma;
        if is_landing_pad(self.arch, self.bytes_at(self.offset_of(svma)?)?) {
            jump = self.svma_after(self.offset_of(svma)?)?;
        }
        if self.class_at(jump)? != InstructionClass::Jump {
            return None;
        }
        self.direct_target(jump)
    }

    /// Returns the target of the direct branch at `svma`; `None` for indirect branches and for other instructions.
    pub fn direct_target(&self, svma: Svma) -> Option<Svma> {
        let target = isa::direct_target(self.arch, self.bytes_of(svma)?, svma.0)?;
        // Addresses of 32-bit code wrap around at 2^32.
        let is_32_bit = self.arch == Arch::X86;
        Some(Svma(if is_32_bit {
            target & u64::from(u32::MAX)
        } else {
            target
        }))
    }
}

/// Returns true if the instruction is a landing pad: `endbr64` or `endbr32`, or `bti` (Arm ARM, C6.2.41).
fn is_landing_pad(arch: Arch, bytes: &[u8]) -> bool {
    match arch {
        Arch::X86_64 | Arch::X86 => matches!(bytes, [0xf3, 0x0f, 0x1e, 0xfa | 0xfb]),
        Arch::AArch64 => bytes
            .first_chunk()
            .is_some_and(|word| u32::from_le_bytes(*word) & 0xffff_ff3f == 0xd503_241f),
    }
}

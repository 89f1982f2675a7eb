//! Code that does nothing but jump.

use super::Code;
use crate::isa;
use crate::kind::Arch;
use crate::{InstructionClass, Svma};

impl Code<'_> {
    /// Where the code at `svma` goes on, if it is a direct jump, behind a landing pad or not: an entry of a jump table of
    /// `-fsanitize=cfi-icall`, or another thunk. llvm-profgen does not look there.
    pub fn jump_at(&self, svma: Svma) -> Option<Svma> {
        if !self.policy.jump_tables {
            return None;
        }
        let mut jump = svma;
        if is_landing_pad(self.arch, self.bytes_at(self.offset_of(svma)?)?) {
            jump = self.svma_behind(self.offset_of(svma)?)?;
        }
        if self.class_at(jump)? != InstructionClass::Jump {
            return None;
        }
        self.direct_target(jump)
    }

    /// Where the direct branch at `svma` goes; `None` for indirect branches and all else.
    pub fn direct_target(&self, svma: Svma) -> Option<Svma> {
        let target = isa::direct_target(self.arch, self.bytes_of(svma)?, svma.0)?;
        // Addresses of 32 bits wrap around.
        let is_32_bit = self.arch == Arch::X86;
        Some(Svma(if is_32_bit {
            target & u64::from(u32::MAX)
        } else {
            target
        }))
    }
}

/// Whether the instruction is `endbr64` or `endbr32`, or `bti` (Arm ARM, C6.2.41).
fn is_landing_pad(arch: Arch, bytes: &[u8]) -> bool {
    match arch {
        Arch::X86_64 | Arch::X86 => matches!(bytes, [0xf3, 0x0f, 0x1e, 0xfa | 0xfb]),
        Arch::AArch64 => bytes
            .first_chunk()
            .is_some_and(|word| u32::from_le_bytes(*word) & 0xffff_ff3f == 0xd503_241f),
    }
}

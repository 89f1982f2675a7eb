//! Tells whether recorded branches agree with the code of an image.

use super::Code;
use crate::isa;
use crate::{InstructionClass, Svma};

impl Code<'_> {
    /// Returns true if a branch from `from` to `to` can have been taken, as far as the code tells: the instruction
    /// at `from`, whose class is `class`, is a branch, and a direct branch goes to `to`. An instruction that a kernel
    /// rewrites can go anywhere.
    ///
    /// AMD's Zen 4 records the comparison that is fused with a conditional branch as the source of the branch.
    pub fn agrees_with(&self, from: Svma, class: InstructionClass, to: Svma) -> bool {
        if class.is_transfer() {
            return self.leads_to(from, class, to);
        }
        let is_fused = || {
            let next = self.offset_of(from).and_then(|offset| self.svma_after(offset));
            next.is_some_and(|next| {
                let is_branch = self.class_at(next) == Some(InstructionClass::Branch);
                is_branch && self.leads_to(next, InstructionClass::Branch, to)
            })
        };
        self.may_transfer_at(from) || is_fused()
    }

    /// Returns true if the branch at `from` goes to `to`, or if its bytes do not state a target.
    fn leads_to(&self, from: Svma, class: InstructionClass, to: Svma) -> bool {
        let bytes = self.offset_of(from).and_then(|offset| self.bytes_at(offset));
        match bytes.and_then(|bytes| isa::direct_target(self.arch, bytes, from.0)) {
            // A kernel rewrites more calls and jumps than its tables name: those of trampolines and return thunks.
            Some(_) if class != InstructionClass::Branch && !self.patch_sites.is_empty() => true,
            // Only the low 32 bits are compared, because 32-bit addresses wrap around.
            Some(target) => target as u32 == to.0 as u32,
            None => true,
        }
    }

    /// Returns the bytes of the instruction that starts at `svma`, as they are in the file.
    pub fn bytes_of(&self, svma: Svma) -> Option<&[u8]> {
        self.bytes_at(self.offset_of(svma)?)
    }

    /// Returns the bytes of the instruction that starts at `offset`.
    pub(super) fn bytes_at(&self, offset: u32) -> Option<&[u8]> {
        let chunk = self.chunk_at(offset)?;
        let length = self.decoded(chunk).at(offset)?.length;
        let section = self.section_of(chunk);
        let start = (offset - section.start) as usize;
        section.bytes.get(start..start + usize::from(length))
    }

    /// Returns the address after the instruction that starts at `offset`.
    pub(super) fn svma_after(&self, offset: u32) -> Option<Svma> {
        let shape = self.decoded(self.chunk_at(offset)?).at(offset)?;
        Some(self.svma(offset.checked_add(u32::from(shape.length))?))
    }
}

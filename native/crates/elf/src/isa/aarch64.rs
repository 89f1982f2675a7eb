//! Classifies AArch64 instructions. All have one width, so a classifier of words suffices.

mod baseline;
mod bits;
mod simd;

use super::class::{DecodePolicy, InstructionClass, Step};

/// Length of an instruction in bytes.
const WORD: usize = 4;

/// Decodes AArch64 code linearly; see [`super::walk`].
pub(super) fn walk(policy: DecodePolicy, bytes: &[u8], start: usize, end: usize, mut visit: impl FnMut(usize, Step)) {
    let mut position = start;
    while position < end {
        let step = match bytes.get(position..).and_then(|rest| rest.first_chunk::<WORD>()) {
            Some(&word) => {
                let word = u32::from_le_bytes(word);
                Step {
                    length: WORD as u8,
                    class: classify(word, policy),
                }
            }
            // LLVM's decoder consumes nothing here, and llvm-profgen then advances by one byte.
            None => Step { length: 1, class: None },
        };
        visit(position, step);
        position += usize::from(step.length);
    }
}

fn classify(word: u32, policy: DecodePolicy) -> Option<InstructionClass> {
    if policy.aarch64_extensions {
        Some(extended_class(word).unwrap_or_else(|| baseline_class(word)))
    } else {
        baseline::is_instruction(word).then(|| baseline_class(word))
    }
}

/// Returns the class of a word that is a valid Armv8.0-A instruction (Arm ARM, C4.1.66 "Branches, Exception
/// Generating and System instructions").
fn baseline_class(word: u32) -> InstructionClass {
    use InstructionClass::{Branch, Call, Jump, Other, Return};
    let is = |mask: u32, value: u32| word & mask == value;
    if is(0xfc00_0000, 0x9400_0000) || is(0xffff_fc1f, 0xd63f_0000) {
        Call // bl, blr
    } else if is(0xffff_fc1f, 0xd65f_0000) || word == 0xd69f_03e0 || word == 0xd6bf_03e0 {
        Return // ret, eret, drps
    } else if is(0xfc00_0000, 0x1400_0000) {
        Jump // b
    } else if is(0xff00_0010, 0x5400_0000) // b.cond
        || is(0x7e00_0000, 0x3400_0000) // cbz, cbnz
        || is(0x7e00_0000, 0x3600_0000) // tbz, tbnz
        || is(0xffff_fc1f, 0xd61f_0000)
    // br
    {
        Branch
    } else {
        Other
    }
}

/// Returns the class of a branch that was added by an extension of Armv8.0-A.
fn extended_class(word: u32) -> Option<InstructionClass> {
    use InstructionClass::{Branch, Call, Return};
    let is = |mask: u32, value: u32| word & mask == value;
    if is(0xfeff_f800, 0xd63f_0800) {
        Some(Call) // blraa, blrab and the forms without modifier (FEAT_PAuth)
    } else if is(0xffff_fbe0, 0xd65f_0be0) // retaa, retab (FEAT_PAuth), retaasppcr (FEAT_PAuth_LR)
        || is(0xffc0_001f, 0x5500_001f) // retaasppc, retabsppc (FEAT_PAuth_LR)
        || is(0xffff_fbff, 0xd69f_0bff)
    // eretaa, eretab (FEAT_PAuth)
    {
        Some(Return)
    } else if is(0xfeff_f800, 0xd61f_0800) // braa, brab and the forms without modifier (FEAT_PAuth)
        || is(0xff00_0010, 0x5400_0010) // bc.cond (FEAT_HBC)
        || is(0x7e00_0000, 0x7400_0000)
    // cb<cc>, cbb<cc>, cbh<cc> (FEAT_CMPBR)
    {
        Some(Branch)
    } else {
        None
    }
}

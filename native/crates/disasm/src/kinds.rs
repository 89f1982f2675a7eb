//! Recognises instructions that LLVM prints in a form of its own.

use iced_x86::{Code, Instruction, Mnemonic};

/// Returns true for `xchg` of the accumulator with itself.
pub(crate) fn is_nop(instruction: &Instruction) -> bool {
    matches!(instruction.code(), Code::Nopw | Code::Nopq)
}

/// Returns true for comparisons that are always false or always true. LLVM has no name for these.
pub(crate) fn is_constant_comparison(instruction: &Instruction) -> bool {
    let is_comparison = matches!(
        instruction.mnemonic(),
        Mnemonic::Vpcmpb
            | Mnemonic::Vpcmpw
            | Mnemonic::Vpcmpd
            | Mnemonic::Vpcmpq
            | Mnemonic::Vpcmpub
            | Mnemonic::Vpcmpuw
            | Mnemonic::Vpcmpud
            | Mnemonic::Vpcmpuq
    );
    is_comparison && matches!(instruction.immediate8(), 3 | 7)
}

//! Kinds of instructions that LLVM writes in its own way.

use iced_x86::{Code, Instruction, Mnemonic};

/// `xchg` of the accumulator with itself.
pub(crate) fn is_nop(instruction: &Instruction) -> bool {
    matches!(instruction.code(), Code::Nopw | Code::Nopq)
}

/// Comparisons that are always false or always true have no name of their own in LLVM.
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

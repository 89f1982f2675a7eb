//! x86-64 instructions by way of iced-x86, with LLVM's boundaries and classes.

mod prefix;
mod undecodable;

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use prefix::{MAX_LENGTH, is_legacy_or_rex_prefix};

use super::class::{InstructionClass, Step};

/// See [`super::walk`].
pub(super) fn walk(bytes: &[u8], start: usize, end: usize, mut visit: impl FnMut(usize, Step)) {
    // With an operand-size prefix LLVM reads near jumps as AMD's processors do, with 16 bits.
    let mut decoder = Decoder::new(64, bytes, DecoderOptions::AMD);
    let mut instruction = Instruction::default();
    let mut position = start;
    while position < end {
        let rest = &bytes[position..];
        let step = if let Some(length) = lone_prefix(rest) {
            Step {
                length,
                class: Some(InstructionClass::Other),
            }
        } else if decoder.set_position(position).is_ok() {
            decoder.decode_out(&mut instruction);
            step_of(&instruction, rest)
        } else {
            return;
        };
        visit(position, step);
        position += usize::from(step.length);
    }
}

/// What LLVM makes of the bytes in which iced found `instruction`.
fn step_of(instruction: &Instruction, bytes: &[u8]) -> Step {
    let length = match instruction.code() {
        // Calls keep 32 bits, as with Intel's processors.
        Code::Call_rel16 => instruction.len() + 2,
        _ => instruction.len(),
    };
    if is_unknown_to_llvm(instruction.code()) || length > bytes.len() {
        return Step {
            length: undecodable::length(bytes),
            class: None,
        };
    }
    Step {
        length: length as u8,
        class: Some(classify(instruction)),
    }
}

/// Undecodable bytes, and undocumented aliases that LLVM has no instruction for.
fn is_unknown_to_llvm(code: Code) -> bool {
    matches!(
        code,
        Code::INVALID
            | Code::Int1
            | Code::Sal_rm8_imm8
            | Code::Sal_rm16_imm8
            | Code::Sal_rm32_imm8
            | Code::Sal_rm64_imm8
            | Code::Sal_rm8_1
            | Code::Sal_rm16_1
            | Code::Sal_rm32_1
            | Code::Sal_rm64_1
            | Code::Sal_rm8_CL
            | Code::Sal_rm16_CL
            | Code::Sal_rm32_CL
            | Code::Sal_rm64_CL
            | Code::Test_rm8_imm8_F6r1
            | Code::Test_rm16_imm16_F7r1
            | Code::Test_rm32_imm32_F7r1
            | Code::Test_rm64_imm32_F7r1
            | Code::Fcom_st0_sti_DCD0
            | Code::Fcomp_st0_sti_DCD8
            | Code::Fcomp_st0_sti_DED0
            | Code::Fxch_st0_sti_DDC8
            | Code::Fxch_st0_sti_DFC8
            | Code::Fstp_sti_DFD0
            | Code::Fstp_sti_DFD8
            | Code::Fstpnce_sti
    )
}

/// The length of the prefixes that LLVM's disassembler takes for an instruction of their own.
///
/// That is `lock` at the start, and the last `repne` or `rep` before what it takes for a lock elision hint: before
/// `lock`, `xchg` and, `rep` only, `mov` to memory. `rep nop` is `pause` (LLVM: X86Disassembler.cpp, readPrefixes).
fn lone_prefix(bytes: &[u8]) -> Option<u8> {
    const LOCK: u8 = 0xf0;
    for (index, &byte) in bytes.iter().take(MAX_LENGTH).enumerate() {
        if !is_legacy_or_rex_prefix(byte) {
            return None;
        }
        let next = bytes.get(index + 1).copied();
        let alone = match byte {
            LOCK => index == 0,
            0xf2 => matches!(next, Some(LOCK | 0x86 | 0x87 | 0x90..=0x97)),
            0xf3 => matches!(next, Some(LOCK | 0x86..=0x89 | 0x91..=0x97 | 0xc6 | 0xc7)),
            _ => false,
        };
        if alone {
            return Some(index as u8 + 1);
        }
    }
    None
}

/// The class that LLVM's instruction tables give. iced's own flow control is another partition: to it
/// `syscall` is a call and `hlt` nothing, and a far return from an interrupt is like `sysret`.
fn classify(instruction: &Instruction) -> InstructionClass {
    if instruction.flow_control() == FlowControl::Next {
        return InstructionClass::Other;
    }
    match instruction.mnemonic() {
        Mnemonic::Call => InstructionClass::Call,
        Mnemonic::Ret | Mnemonic::Retf | Mnemonic::Iret | Mnemonic::Iretd | Mnemonic::Iretq => InstructionClass::Return,
        Mnemonic::Jmp if matches!(instruction.op0_kind(), OpKind::NearBranch64 | OpKind::NearBranch16) => {
            InstructionClass::Jump
        }
        Mnemonic::Jmp | Mnemonic::Xbegin => InstructionClass::Branch,
        _ if instruction.flow_control() == FlowControl::ConditionalBranch => InstructionClass::Branch,
        _ => InstructionClass::Other,
    }
}

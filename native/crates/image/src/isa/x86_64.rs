//! x86-64 instructions by way of iced-x86, in LLVM's classes.

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use super::{InstructionClass, Step};

/// The longest instruction that a processor executes.
const MAX_LENGTH: usize = 15;

/// See [`super::walk`].
pub(super) fn walk(bytes: &[u8], start: usize, end: usize, mut visit: impl FnMut(usize, Step)) {
    let mut decoder = Decoder::new(64, bytes, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut position = start;
    while position < end {
        if let Some(length) = lone_prefix(&bytes[position..]) {
            visit(
                position,
                Step {
                    length,
                    class: Some(InstructionClass::Other),
                },
            );
            position += usize::from(length);
            continue;
        }
        if decoder.set_position(position).is_err() {
            return;
        }
        decoder.decode_out(&mut instruction);
        let length = instruction.len().max(1) as u8;
        let class = (instruction.code() != Code::INVALID).then(|| classify(&instruction));
        visit(position, Step { length, class });
        position += usize::from(length);
    }
}

/// The length of the prefixes that LLVM's disassembler takes for an instruction of their own.
///
/// That is `lock` at the start, and the last `repne` or `rep` before what it takes for a lock elision hint: before
/// `lock`, `xchg` and, `rep` only, `mov` to memory. `rep nop` is `pause` (LLVM: X86Disassembler.cpp, readPrefixes).
fn lone_prefix(bytes: &[u8]) -> Option<u8> {
    const LOCK: u8 = 0xf0;
    for (index, &byte) in bytes.iter().take(MAX_LENGTH).enumerate() {
        let next = bytes.get(index + 1).copied();
        let alone = match byte {
            LOCK => index == 0,
            0xf2 => matches!(next, Some(LOCK | 0x86 | 0x87 | 0x90..=0x97)),
            0xf3 => matches!(next, Some(LOCK | 0x86 | 0x87 | 0x91..=0x97 | 0x88 | 0x89 | 0xc6 | 0xc7)),
            0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0x40..=0x4f => false,
            _ => return None,
        };
        if alone {
            return Some(index as u8 + 1);
        }
    }
    None
}

/// The class that LLVM's instruction tables give. iced's own flow control is another partition: to it
/// `syscall` is a call and `hlt` nothing, and direct and indirect jumps differ in more ways.
fn classify(instruction: &Instruction) -> InstructionClass {
    if instruction.flow_control() == FlowControl::Next {
        return InstructionClass::Other;
    }
    match instruction.mnemonic() {
        Mnemonic::Call => InstructionClass::Call,
        Mnemonic::Ret | Mnemonic::Retf | Mnemonic::Iret | Mnemonic::Iretd | Mnemonic::Iretq => InstructionClass::Return,
        Mnemonic::Jmp if instruction.op0_kind() == OpKind::NearBranch64 => InstructionClass::Jump,
        Mnemonic::Jmp | Mnemonic::Xbegin => InstructionClass::Branch,
        _ if instruction.flow_control() == FlowControl::ConditionalBranch => InstructionClass::Branch,
        _ => InstructionClass::Other,
    }
}

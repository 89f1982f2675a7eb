//! x86-64 instructions by way of iced-x86, in LLVM's classes.

use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};

use super::{InstructionClass, Step};

/// See [`super::walk`].
pub(super) fn walk(bytes: &[u8], start: usize, end: usize, mut visit: impl FnMut(usize, Step)) {
    let mut decoder = Decoder::new(64, bytes, DecoderOptions::NONE);
    let mut instruction = Instruction::default();
    let mut position = start;
    while position < end {
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

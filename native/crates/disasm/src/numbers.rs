//! Chooses which numbers are printed as signed, and which as hexadecimal.

use iced_x86::{
    FormatterOperandOptions, FormatterOptionsProvider, Instruction, Mnemonic, NumberBase, NumberFormattingOptions,
    OpKind,
};

/// Instructions whose byte-sized immediates are signed numbers. In all other instructions such immediates are masks
/// or counts.
const SIGNED_BYTES: [Mnemonic; 11] = [
    Mnemonic::Adc,
    Mnemonic::Add,
    Mnemonic::And,
    Mnemonic::Cmp,
    Mnemonic::Mov,
    Mnemonic::Or,
    Mnemonic::Sbb,
    Mnemonic::Sub,
    Mnemonic::Test,
    Mnemonic::Xabort,
    Mnemonic::Xor,
];

/// Prints decimal numbers, and targets of branches as hexadecimal ones. Immediates that are widened are signed.
pub(crate) struct LlvmOperandOptions;

impl FormatterOptionsProvider for LlvmOperandOptions {
    fn operand_options(
        &mut self,
        instruction: &Instruction,
        _operand: u32,
        instruction_operand: Option<u32>,
        _options: &mut FormatterOperandOptions,
        number: &mut NumberFormattingOptions<'_>,
    ) {
        let Some(operand) = instruction_operand else { return };
        match instruction.op_kind(operand) {
            OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
                number.number_base = NumberBase::Hexadecimal;
                number.prefix = "0x";
                number.leading_zeros = false;
            }
            OpKind::Immediate16 | OpKind::Immediate8_2nd => {
                let frame = [Mnemonic::Enter, Mnemonic::Ret, Mnemonic::Retf];
                number.signed_number = frame.contains(&instruction.mnemonic());
            }
            OpKind::Immediate32 => number.signed_number = false,
            OpKind::Immediate8 => number.signed_number = SIGNED_BYTES.contains(&instruction.mnemonic()),
            _ => {}
        }
    }
}

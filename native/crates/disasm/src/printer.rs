//! Prints one instruction.

use iced_x86::{
    Code, Decoder, DecoderOptions, FormatMnemonicOptions, Formatter, FormatterOptions, GasFormatter, Instruction,
    IntelFormatter, MemorySizeOptions, Mnemonic, NumberBase, OpKind,
};

use crate::syntax::Syntax;
use crate::{mnemonic, numbers, operands};

/// Prints instructions in one syntax.
pub struct Printer {
    syntax: Syntax,
    bits: u32,
    formatter: Box<dyn Formatter>,
    instruction: Instruction,
    mnemonic: String,
}

impl Printer {
    /// Makes a printer of one syntax, for code of 64-bit or of 32-bit mode.
    #[must_use]
    pub fn new(syntax: Syntax, is_64_bit: bool) -> Self {
        let provider = Box::new(numbers::LlvmOperandOptions);
        let mut formatter: Box<dyn Formatter> = match syntax {
            Syntax::Att => Box::new(GasFormatter::with_options(None, Some(provider))),
            Syntax::Intel => Box::new(IntelFormatter::with_options(None, Some(provider))),
        };
        set_options(formatter.options_mut(), syntax);
        Self {
            syntax,
            bits: if is_64_bit { 64 } else { 32 },
            formatter,
            instruction: Instruction::default(),
            mnemonic: String::new(),
        }
    }

    /// Appends the instruction at the start of `bytes`, which lie at `address`: a tab, the mnemonic, a tab, the
    /// operands. Prefixes before the instruction are printed like instructions without operands. LLVM takes some
    /// prefixes for an instruction of their own, `length` bytes long. Instructions that iced does not know (APX,
    /// AVX10.2 and others of 2023 and later) are printed as their bytes.
    pub fn print(&mut self, bytes: &[u8], length: u8, address: u64, out: &mut String) {
        let alone = &bytes[..bytes.len().min(usize::from(length))];
        if let Some(prefix) = lone_prefix(alone) {
            out.push('\t');
            out.push_str(prefix);
            return;
        }
        // An earlier stage has decided whether the operands are allowed.
        let options = DecoderOptions::AMD | DecoderOptions::NO_INVALID_CHECK;
        let mut decoder = Decoder::with_ip(self.bits, bytes, address, options);
        decoder.decode_out(&mut self.instruction);
        let instruction = &self.instruction;
        let is_whole = instruction.len() == usize::from(length);
        if instruction.code() == Code::Call_rel16 && !is_whole {
            // The displacement of calls has 32 bits, as on Intel's processors; see `elf::isa`.
            let name = if self.syntax == Syntax::Att { "callq" } else { "call" };
            let distance = alone.last_chunk().map_or(0, |bytes| i32::from_le_bytes(*bytes));
            let target = address
                .wrapping_add(u64::from(length))
                .wrapping_add_signed(distance.into());
            out.push_str(&format!("\t{name}\t{target:#x}"));
            return;
        }
        if instruction.is_invalid() || !is_whole {
            let bytes: Vec<_> = alone.iter().map(|byte| format!("{byte:#04x}")).collect();
            out.push_str(&format!("\t.byte\t{}", bytes.join(", ")));
            return;
        }
        for prefix in prefixes(instruction, alone) {
            out.push('\t');
            out.push_str(prefix);
            out.push('\t');
        }
        self.mnemonic.clear();
        let formatter = &mut *self.formatter;
        formatter.format_mnemonic_options(instruction, &mut self.mnemonic, FormatMnemonicOptions::NO_PREFIXES);
        mnemonic::respell(instruction, self.syntax, &mut self.mnemonic);
        out.push('\t');
        out.push_str(&self.mnemonic);
        operands::print(formatter, instruction, self.syntax, out);
    }
}

fn set_options(options: &mut FormatterOptions, syntax: Syntax) {
    options.set_number_base(NumberBase::Decimal);
    options.set_uppercase_hex(false);
    options.set_small_hex_numbers_in_decimal(false);
    options.set_branch_leading_zeros(false);
    options.set_show_branch_size(false);
    options.set_signed_immediate_operands(true);
    options.set_signed_memory_displacements(true);
    options.set_rip_relative_addresses(true);
    options.set_space_after_operand_separator(true);
    options.set_gas_show_mnemonic_size_suffix(true);
    if syntax == Syntax::Intel {
        options.set_memory_size_options(MemorySizeOptions::Always);
        options.set_space_between_memory_add_operators(true);
        options.set_scale_before_index(true);
    }
}

/// Returns the prefix that stands for an instruction, if the prefix is the last of `bytes`.
fn lone_prefix(bytes: &[u8]) -> Option<&'static str> {
    match bytes.last()? {
        _ if bytes.len() > 1 && !bytes.iter().all(|&byte| is_prefix(byte)) => None,
        0xf0 => Some("lock"),
        0xf2 => Some("repne"),
        0xf3 => Some("rep"),
        _ => None,
    }
}

fn is_prefix(byte: u8) -> bool {
    matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x40..=0x4f | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3)
}

/// Returns true if LLVM prints `lock`. LLVM does not if a prefix is part of the opcode.
fn has_lock(bytes: &[u8]) -> bool {
    let count = bytes.iter().take_while(|&&byte| is_prefix(byte)).count();
    let (prefixes, opcode) = bytes.split_at(count);
    let last = prefixes.iter().rfind(|&&byte| byte & 0xf0 != 0x40);
    let is_part = opcode.first() == Some(&0x0f) && matches!(last, Some(0x66 | 0xf2 | 0xf3));
    prefixes.contains(&0xf0) && !is_part
}

/// Returns the prefixes that are printed.
fn prefixes(instruction: &Instruction, bytes: &[u8]) -> impl Iterator<Item = &'static str> {
    let legacy = || bytes.iter().take_while(|&&byte| is_prefix(byte));
    let is_branch = matches!(
        instruction.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    );
    let address_size = is_branch
        && legacy().any(|&byte| byte == 0x67)
        && !matches!(instruction.mnemonic(), Mnemonic::Jrcxz | Mnemonic::Jecxz);
    [
        (address_size, "addr32"),
        (has_lock(bytes), "lock"),
        (instruction.has_rep_prefix(), "rep"),
        (instruction.has_repne_prefix(), "repne"),
    ]
    .into_iter()
    .filter_map(|(there, name)| there.then_some(name))
}

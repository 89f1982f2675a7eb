//! Corrects operands that LLVM prints differently, in another order, or that only LLVM prints.

use iced_x86::{Code, Formatter, Instruction, Mnemonic, OpKind, Register};

use crate::kinds::{is_constant_comparison, is_nop};
use crate::syntax::Syntax;

/// The top of the x87 stack. Other instructions write this register as `st(0)`.
const TOP: &str = "st";

/// Appends a tab and the operands, if there are operands.
pub(crate) fn print(formatter: &mut dyn Formatter, instruction: &Instruction, syntax: Syntax, out: &mut String) {
    if is_nop(instruction) || instruction.mnemonic() == Mnemonic::Xlatb {
        return;
    }
    let mut texts = Vec::with_capacity(4);
    let count = formatter.operand_count(instruction);
    for number in 0..count {
        let mut text = String::new();
        // The only possible error is a number that belongs to no operand.
        if formatter.format_operand(instruction, &mut text, number).is_err() {
            continue;
        }
        let operand = formatter.get_instruction_operand(instruction, number).ok().flatten();
        if let Some(operand) = operand {
            if is_implied(instruction, operand) {
                continue;
            }
            respell(instruction, operand, syntax, &mut text);
        }
        let is_encoded = operand.is_some()
            && !matches!(
                instruction.mnemonic(),
                Mnemonic::Fxch | Mnemonic::Fucom | Mnemonic::Fucomp
            );
        if syntax == Syntax::Intel && text == TOP && !is_encoded {
            continue;
        }
        if syntax == Syntax::Intel && is_mask_of_elements(instruction, &text) {
            if let Some(last) = texts.last_mut() {
                *last = format!("{last} {{{text}}}");
            }
            continue;
        }
        let spaced = text.replace('{', " {").replace(" {1to", "{1to").replace("  {", " {");
        texts.push(spaced.trim_start().to_owned());
    }
    complete_operands(formatter, instruction, syntax, count, &mut texts);
    let mut separator = "\t";
    for text in texts {
        out.push_str(separator);
        out.push_str(&text);
        separator = ", ";
    }
}

/// Returns true if LLVM leaves the operand out.
fn is_implied(instruction: &Instruction, operand: u32) -> bool {
    is_shift_by_one(instruction.code()) && operand == 1
}

/// Adds segments that iced does not print, and corrects addresses without a register.
fn respell(instruction: &Instruction, operand: u32, syntax: Syntax, text: &mut String) {
    let kind = instruction.op_kind(operand);
    let segment = match kind {
        OpKind::Memory
        | OpKind::MemorySegSI
        | OpKind::MemorySegESI
        | OpKind::MemorySegRSI
        | OpKind::MemorySegDI
        | OpKind::MemorySegEDI
        | OpKind::MemorySegRDI => instruction.segment_prefix(),
        OpKind::MemoryESDI | OpKind::MemoryESEDI | OpKind::MemoryESRDI => Register::ES,
        _ => Register::None,
    };
    if kind == OpKind::Memory
        && instruction.memory_base() == Register::None
        && instruction.memory_index() == Register::None
        && instruction.memory_displacement64().cast_signed() < 0
    {
        let displacement = instruction.memory_displacement64();
        let signed = displacement.cast_signed().to_string();
        *text = text.replace(&displacement.to_string(), &signed);
    }
    let is_selector = matches!(instruction.mnemonic(), Mnemonic::Lar | Mnemonic::Lsl);
    if is_selector && operand == 1 && kind == OpKind::Register {
        // The instruction reads sixteen bits of the register, whatever register is encoded.
        *text = word_register(text, syntax);
    }
    if syntax == Syntax::Intel {
        respell_for_intel(instruction, operand, text);
    }
    if segment != Register::None && !text.contains(':') {
        let name = match segment {
            Register::CS => "cs",
            Register::DS => "ds",
            Register::ES => "es",
            Register::SS => "ss",
            Register::FS => "fs",
            _ => "gs",
        };
        match syntax {
            Syntax::Att => text.insert_str(usize::from(text.starts_with('*')), &format!("%{name}:")),
            Syntax::Intel => {
                let bracket = text.find('[').unwrap_or(0);
                text.insert_str(bracket, &format!("{name}:"));
            }
        }
    }
}

/// Changes `eax` and `rax` to `ax`, `r8d` and `r8` to `r8w`.
fn word_register(register: &str, syntax: Syntax) -> String {
    let name = register.trim_start_matches('%');
    let word = match name.strip_prefix(['e', 'r']) {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("r{}w", rest.trim_end_matches('d')),
        Some(rest) => rest.to_owned(),
        None => name.to_owned(),
    };
    match syntax {
        Syntax::Att => format!("%{word}"),
        Syntax::Intel => word,
    }
}

/// Corrects the sizes of operands that LLVM prints differently.
fn respell_for_intel(instruction: &Instruction, operand: u32, text: &mut String) {
    let is_memory = instruction.op_kind(operand) == OpKind::Memory;
    match instruction.mnemonic() {
        Mnemonic::Lgdt | Mnemonic::Lidt | Mnemonic::Sgdt | Mnemonic::Sidt if is_memory => remove_size(text),
        Mnemonic::Call | Mnemonic::Jmp if is_memory && instruction.is_jmp_far_indirect() => remove_size(text),
        Mnemonic::Call if is_memory && instruction.is_call_far_indirect() => remove_size(text),
        Mnemonic::Invlpg => text.insert_str(0, "byte ptr "),
        Mnemonic::Rstorssp | Mnemonic::Clrssbsy => *text = text.replace("qword", "dword"),
        _ => {}
    }
}

/// Changes `fword ptr [rax]` to `[rax]`.
fn remove_size(text: &mut String) {
    if let Some(at) = text.find(" ptr ") {
        text.drain(..at + " ptr ".len());
    }
}

/// Moves the rounding mode from after the first operand to the place where LLVM prints it: after the last
/// operand, before an immediate.
fn move_rounding(instruction: &Instruction, texts: &mut Vec<String>) {
    let Some(first) = texts.first_mut() else { return };
    let Some(at) = first.find(" {").filter(|&at| first[at..].contains("sae}")) else {
        return;
    };
    let Some(start) = first[at..].rfind(" {").map(|more| at + more) else {
        return;
    };
    let mode = first.split_off(start).trim_start().replace("rne-", "rn-");
    let last = instruction.op_kind(instruction.op_count().saturating_sub(1));
    let has_immediate = last == OpKind::Immediate8 && texts.len() as u32 == instruction.op_count();
    texts.insert(texts.len() - usize::from(has_immediate), mode);
}

/// Adds operands that iced leaves out, and puts operands into LLVM's order.
fn complete_operands(
    formatter: &mut dyn Formatter,
    instruction: &Instruction,
    syntax: Syntax,
    count: u32,
    texts: &mut Vec<String>,
) {
    if syntax == Syntax::Intel {
        move_rounding(instruction, texts);
    }
    let mut register = |register: Register| match (register, syntax) {
        (Register::ST0, Syntax::Att) => format!("%{TOP}"),
        (Register::ST0, Syntax::Intel) => TOP.to_owned(),
        _ => formatter.format_register(register).to_owned(),
    };
    match instruction.mnemonic() {
        // This is the form with three operands, two of which are the same.
        Mnemonic::Imul if instruction.op_count() == 3 && count == 2 => match syntax {
            Syntax::Att => texts.push(register(instruction.op0_register())),
            Syntax::Intel => texts.insert(1, register(instruction.op1_register())),
        },
        Mnemonic::Faddp | Mnemonic::Fmulp | Mnemonic::Fsubp | Mnemonic::Fsubrp | Mnemonic::Fdivp | Mnemonic::Fdivrp
            if texts.is_empty() =>
        {
            let mut both = [instruction.op0_register(), instruction.op1_register()].map(register);
            if syntax == Syntax::Att {
                both.reverse();
            }
            texts.extend(both);
        }
        Mnemonic::Fxch | Mnemonic::Fcom | Mnemonic::Fcomp | Mnemonic::Fucom | Mnemonic::Fucomp if texts.is_empty() => {
            texts.push(register(instruction.op1_register()));
        }
        Mnemonic::Xchg if instruction.op0_kind() == OpKind::Register && instruction.op1_kind() == OpKind::Register => {
            texts.reverse();
        }
        Mnemonic::Stosb | Mnemonic::Stosw | Mnemonic::Stosd | Mnemonic::Stosq
            if syntax == Syntax::Intel && texts.len() == 1 =>
        {
            texts.push(register(instruction.op1_register()));
        }
        Mnemonic::Lodsb | Mnemonic::Lodsw | Mnemonic::Lodsd | Mnemonic::Lodsq
            if syntax == Syntax::Intel && texts.len() == 1 =>
        {
            texts.insert(0, register(instruction.op0_register()));
        }
        Mnemonic::Scasb | Mnemonic::Scasw | Mnemonic::Scasd | Mnemonic::Scasq
            if syntax == Syntax::Intel && texts.len() == 1 =>
        {
            texts[0] = texts[0].replacen('[', "es:[", usize::from(!texts[0].contains(':')));
            texts.insert(0, register(instruction.op0_register()));
        }
        Mnemonic::Blendvpd | Mnemonic::Blendvps | Mnemonic::Pblendvb | Mnemonic::Sha256rnds2
            if syntax == Syntax::Intel && texts.len() == 2 =>
        {
            texts.push(register(Register::XMM0));
        }
        // Segment registers are loaded from 32-bit registers, too.
        Mnemonic::Mov
            if syntax == Syntax::Intel
                && instruction.code() == Code::Mov_Sreg_r32m16
                && instruction.op1_kind() == OpKind::Register =>
        {
            texts.truncate(1);
            texts.push(register(instruction.op1_register()));
        }
        Mnemonic::Pclmulqdq | Mnemonic::Vpclmulqdq => add_immediate(instruction, syntax, texts),
        _ if is_constant_comparison(instruction) => add_immediate(instruction, syntax, texts),
        _ => {}
    }
}

/// Adds the immediate that iced made a part of the name.
fn add_immediate(instruction: &Instruction, syntax: Syntax, texts: &mut Vec<String>) {
    let immediate = instruction.immediate8();
    if texts.len() as u32 == instruction.op_count() {
        return;
    }
    match syntax {
        Syntax::Att => texts.insert(0, format!("${immediate}")),
        Syntax::Intel => texts.push(immediate.to_string()),
    }
}

/// Returns true if the operand is the mask of a gathering or scattering instruction. iced prints this mask as an
/// operand after the one that the mask belongs to.
fn is_mask_of_elements(instruction: &Instruction, text: &str) -> bool {
    instruction.is_vsib() && matches!(text.as_bytes(), [b'k', b'1'..=b'7'])
}

fn is_shift_by_one(code: Code) -> bool {
    matches!(
        code,
        Code::Rol_rm8_1
            | Code::Rol_rm16_1
            | Code::Rol_rm32_1
            | Code::Rol_rm64_1
            | Code::Ror_rm8_1
            | Code::Ror_rm16_1
            | Code::Ror_rm32_1
            | Code::Ror_rm64_1
            | Code::Rcl_rm8_1
            | Code::Rcl_rm16_1
            | Code::Rcl_rm32_1
            | Code::Rcl_rm64_1
            | Code::Rcr_rm8_1
            | Code::Rcr_rm16_1
            | Code::Rcr_rm32_1
            | Code::Rcr_rm64_1
            | Code::Shl_rm8_1
            | Code::Shl_rm16_1
            | Code::Shl_rm32_1
            | Code::Shl_rm64_1
            | Code::Shr_rm8_1
            | Code::Shr_rm16_1
            | Code::Shr_rm32_1
            | Code::Shr_rm64_1
            | Code::Sar_rm8_1
            | Code::Sar_rm16_1
            | Code::Sar_rm32_1
            | Code::Sar_rm64_1
    )
}

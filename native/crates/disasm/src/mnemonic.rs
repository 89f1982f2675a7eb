//! Corrects the names of instructions that LLVM spells differently.

use iced_x86::{Code, ConditionCode, Instruction, Mnemonic, OpKind};

use crate::kinds::{is_constant_comparison, is_nop};
use crate::syntax::Syntax;

/// Changes iced's name of the instruction to LLVM's.
pub(crate) fn respell(instruction: &Instruction, syntax: Syntax, name: &mut String) {
    let other = match syntax {
        Syntax::Att => att_name(instruction),
        Syntax::Intel => intel_name(instruction),
    };
    let other = other.or_else(|| common_name(instruction));
    if let Some(other) = other {
        name.clear();
        name.push_str(other);
    } else if syntax == Syntax::Att {
        if has_redundant_suffix(instruction) {
            name.pop();
        } else if let Some(suffix) = missing_suffix(instruction) {
            name.push(suffix);
        }
    }
}

fn common_name(instruction: &Instruction) -> Option<&'static str> {
    Some(match instruction.mnemonic() {
        Mnemonic::Fcomip => "fcompi",
        Mnemonic::Fucomip => "fucompi",
        Mnemonic::Pclmulqdq => "pclmulqdq",
        Mnemonic::Vpclmulqdq => "vpclmulqdq",
        Mnemonic::Wait => "wait",
        Mnemonic::Xlatb => "xlatb",
        _ if is_constant_comparison(instruction) => match instruction.mnemonic() {
            Mnemonic::Vpcmpb => "vpcmpb",
            Mnemonic::Vpcmpw => "vpcmpw",
            Mnemonic::Vpcmpd => "vpcmpd",
            Mnemonic::Vpcmpq => "vpcmpq",
            Mnemonic::Vpcmpub => "vpcmpub",
            Mnemonic::Vpcmpuw => "vpcmpuw",
            Mnemonic::Vpcmpud => "vpcmpud",
            _ => "vpcmpuq",
        },
        _ if is_nop(instruction) => "nop",
        _ => return None,
    })
}

fn att_name(instruction: &Instruction) -> Option<&'static str> {
    Some(match instruction.code() {
        Code::Call_m1664 => "lcallq",
        Code::Jmp_m1664 => "ljmpq",
        Code::Mov_r64_imm64 => "movabsq",
        _ => return None,
    })
}

fn intel_name(instruction: &Instruction) -> Option<&'static str> {
    Some(match instruction.code() {
        Code::Call_m1616 | Code::Call_m1632 => "call",
        Code::Call_m1664 => "lcall",
        Code::Jmp_m1616 | Code::Jmp_m1632 => "jmp",
        Code::Jmp_m1664 => "ljmp",
        Code::Mov_r64_imm64
        | Code::Mov_AL_moffs8
        | Code::Mov_AX_moffs16
        | Code::Mov_EAX_moffs32
        | Code::Mov_RAX_moffs64
        | Code::Mov_moffs8_AL
        | Code::Mov_moffs16_AX
        | Code::Mov_moffs32_EAX
        | Code::Mov_moffs64_RAX => "movabs",
        Code::Prefetch_m8 => "prefetch",
        Code::Retfd | Code::Retfd_imm16 => "retf",
        Code::Retfq | Code::Retfq_imm16 => "retfq",
        _ => return None,
    })
}

/// Returns true if iced appends a size that LLVM leaves out.
fn has_redundant_suffix(instruction: &Instruction) -> bool {
    let last = instruction.op_kind(instruction.op_count().saturating_sub(1));
    let source_is_register = instruction.op_count() > 1 && last == OpKind::Register;
    match instruction.mnemonic() {
        Mnemonic::Fldcw
        | Mnemonic::Fldenv
        | Mnemonic::Fnsave
        | Mnemonic::Fnstcw
        | Mnemonic::Fnstenv
        | Mnemonic::Frstor
        | Mnemonic::Leave
        | Mnemonic::Enter
        | Mnemonic::Loop
        | Mnemonic::Loope
        | Mnemonic::Loopne
        | Mnemonic::Movdiri
        | Mnemonic::Verr
        | Mnemonic::Verw => true,
        Mnemonic::Vfpclassps | Mnemonic::Vfpclasspd => {
            instruction.op1_kind() == OpKind::Register || instruction.is_broadcast()
        }
        Mnemonic::Fnstsw => instruction.op0_kind() == OpKind::Memory,
        Mnemonic::Cvtsi2sd
        | Mnemonic::Cvtsi2ss
        | Mnemonic::Vcvtsi2sd
        | Mnemonic::Vcvtsi2ss
        | Mnemonic::Vcvtusi2sd
        | Mnemonic::Vcvtusi2ss => source_is_register,
        Mnemonic::Vcvtpd2dq
        | Mnemonic::Vcvtpd2ps
        | Mnemonic::Vcvtpd2udq
        | Mnemonic::Vcvtqq2ps
        | Mnemonic::Vcvttpd2dq
        | Mnemonic::Vcvttpd2udq
        | Mnemonic::Vcvtuqq2ps => source_is_register && !instruction.op1_register().is_zmm(),
        _ => is_set(instruction),
    }
}

/// Returns true for `setcc`, the only instruction on a byte that stores a condition.
fn is_set(instruction: &Instruction) -> bool {
    let is_byte = match instruction.op0_kind() {
        OpKind::Register => instruction.op0_register().size() == 1,
        OpKind::Memory => instruction.memory_size().size() == 1,
        _ => false,
    };
    is_byte && instruction.op_count() == 1 && instruction.condition_code() != ConditionCode::None
}

fn missing_suffix(instruction: &Instruction) -> Option<char> {
    let of_any_size = matches!(
        instruction.mnemonic(),
        Mnemonic::Rdfsbase
            | Mnemonic::Rdgsbase
            | Mnemonic::Rdrand
            | Mnemonic::Rdseed
            | Mnemonic::Wrfsbase
            | Mnemonic::Wrgsbase
    );
    if !of_any_size {
        return None;
    }
    match instruction.op0_register().size() {
        2 => Some('w'),
        4 => Some('l'),
        8 => Some('q'),
        _ => None,
    }
}

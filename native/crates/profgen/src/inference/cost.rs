//! Estimates how much longer some instructions take than others, on all CPUs.

use elf::{Arch, Instruction};

/// Time of a division, in units of a plain instruction: about the time on CPUs of the last ten years
/// (uops.info).
const DIVISION: f64 = 15.0;
const MULTIPLICATION: f64 = 2.0;
/// Time of a locked or serializing instruction, in units of a plain instruction.
const LOCKED: f64 = 18.0;

/// Returns the time of an instruction in units of a plain instruction; `None` if the time depends on
/// operands, as for `rep movs`.
pub(super) fn time_of(arch: Arch, instruction: Instruction, bytes: &[u8]) -> Option<f64> {
    match arch {
        Arch::X86_64 | Arch::X86 => x86(arch == Arch::X86_64, bytes),
        Arch::AArch64 => Some(aarch64(bytes)),
    }
    .filter(|_| instruction.length > 0)
}

/// Returns the time of an x86 instruction. Source of the encodings: AMD64 APM volume 3, appendix A.
fn x86(is_64_bit: bool, bytes: &[u8]) -> Option<f64> {
    let is_prefix = |byte: u8| {
        matches!(byte, 0x26 | 0x2e | 0x36 | 0x3e | 0x64..=0x67 | 0xf0 | 0xf2 | 0xf3) || is_64_bit && byte & 0xf0 == 0x40
    };
    let start = bytes.iter().position(|&byte| !is_prefix(byte)).unwrap_or(0);
    let (prefixes, rest) = bytes.split_at(start);
    let repeats = prefixes.iter().any(|byte| matches!(byte, 0xf2 | 0xf3));
    let field = |at: usize| rest.get(at).map(|modrm| modrm >> 3 & 7);
    let base = match *rest {
        [0x6c..=0x6f | 0xa4..=0xa7 | 0xaa..=0xaf, ..] if repeats => return None,
        [0xf6 | 0xf7, ..] if matches!(field(1), Some(6 | 7)) => DIVISION,
        [0xf6 | 0xf7, ..] if matches!(field(1), Some(4 | 5)) => MULTIPLICATION,
        [0x69 | 0x6b, ..] | [0x0f, 0xaf, ..] => MULTIPLICATION,
        // These are sqrt and div of all four kinds of SSE operands.
        [0x0f, 0x51 | 0x5e, ..] => DIVISION,
        _ => 1.0,
    };
    Some(if prefixes.contains(&0xf0) { base + LOCKED } else { base })
}

/// Returns the time of an AArch64 instruction. Source of the encodings: Arm ARM, C4.1.96, data processing
/// with two and with three sources.
fn aarch64(bytes: &[u8]) -> f64 {
    let word = bytes.first_chunk().map_or(0, |word| u32::from_le_bytes(*word));
    if word & 0x7fe0_f800 == 0x1ac0_0800 {
        DIVISION
    } else if word & 0x7f00_0000 == 0x1b00_0000 {
        MULTIPLICATION
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elf::{InstructionClass, Svma};

    #[test]
    fn slow_instructions_are_known() {
        let time = |arch, bytes: &[u8]| {
            let instruction = Instruction {
                svma: Svma(0),
                length: bytes.len() as u8,
                class: InstructionClass::Other,
            };
            time_of(arch, instruction, bytes)
        };
        let x86 = |bytes: &[u8]| time(Arch::X86_64, bytes);
        assert_eq!(x86(&[0x48, 0xf7, 0xf9]), Some(DIVISION)); // idiv rcx
        assert_eq!(x86(&[0xf7, 0xd8]), Some(1.0)); // neg eax
        assert_eq!(x86(&[0xf2, 0x0f, 0x5e, 0xc1]), Some(DIVISION)); // divsd
        assert_eq!(x86(&[0xf3, 0x48, 0xa5]), None); // rep movsq
        assert_eq!(x86(&[0xa5]), Some(1.0)); // movsd
        assert_eq!(x86(&[0xf0, 0x0f, 0xb1, 0x0f]), Some(1.0 + LOCKED)); // lock cmpxchg
        let arm = |word: u32| time(Arch::AArch64, &word.to_le_bytes());
        assert_eq!(arm(0x9ac2_0820), Some(DIVISION)); // udiv x0, x1, x2
        assert_eq!(arm(0x9b02_0c20), Some(MULTIPLICATION)); // madd x0, x1, x2, x3
        assert_eq!(arm(0x8b02_0020), Some(1.0)); // add x0, x1, x2
    }
}
